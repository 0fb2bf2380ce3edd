package fusion

import (
	"math/bits"
	"strings"
)

// The commonest surnames and given names of the United States, in falling
// order, several to a line. What stands here is only how common a name is:
// the bits of rank r follow the census: a surname of rank 1 is 0.8 % of the
// people and one of rank 100 is 0.11 %, a given name 1.4 % and 0.2 %.
const surnames = `smith johnson williams brown jones garcia miller davis rodriguez martinez
hernandez lopez gonzalez wilson anderson thomas taylor moore jackson martin
lee perez thompson white harris sanchez clark ramirez lewis robinson
walker young allen king wright scott torres nguyen hill flores
green adams nelson baker hall rivera campbell mitchell carter roberts
gomez phillips evans turner diaz parker cruz edwards collins reyes
stewart morris morales murphy cook rogers gutierrez ortiz morgan cooper
peterson bailey reed kelly howard ramos kim cox ward richardson
watson brooks chavez wood james bennett gray mendoza ruiz hughes
price alvarez castillo sanders patel myers long ross foster jimenez
powell jenkins perry russell sullivan bell coleman butler henderson barnes
fisher vasquez simmons jordan patterson alexander hamilton graham reynolds griffin
wallace west cole hayes bryant gibson ellis stevens murray ford
marshall owens mcdonald harrison kennedy wells woods henry chen freeman
webb tucker burns crawford olson simpson porter hunter gordon mendez
shaw snyder mason dixon hunt hicks holmes palmer wagner black
robertson stone boyd mills warren fox rose rice moreno schmidt`

const givens = `james mary michael john robert david william jennifer elizabeth patricia
linda joseph richard thomas charles christopher susan jessica sarah daniel
karen matthew lisa nancy anthony mark betty margaret donald ashley
sandra steven kimberly andrew paul emily donna joshua michelle kenneth
carol kevin brian amanda george timothy dorothy ronald melissa deborah
edward jason stephanie rebecca sharon jeffrey ryan laura cynthia jacob
gary kathleen nicholas amy eric angela jonathan stephen shirley brenda
larry emma anna pamela justin scott brandon nicole samantha katherine
benjamin helen christine samuel debra rachel gregory carolyn frank alexander
janet patrick raymond maria jack catherine dennis heather jerry diane
tyler olivia julie aaron joyce jose victoria adam ruth nathan
virginia henry lauren zachary douglas kelly peter christina kyle joan
noah evelyn ethan judith jeremy andrea christian hannah walter megan
keith cheryl austin jacqueline roger martha terry madison sean teresa
gerald gloria carl sara harold janice dylan ann arthur kathryn
lawrence abigail jordan sophia jesse frances bryan jean billy alice`

// shortForms maps a short form to the name it stands for.
var shortForms = pairs(`bob=robert rob=robert bobby=robert bill=william will=william billy=william willie=william
jim=james jimmy=james jamie=james mike=michael mick=michael dave=david dan=daniel danny=daniel tom=thomas tommy=thomas
joe=joseph joey=joseph dick=richard rick=richard rich=richard ricky=richard chuck=charles charlie=charles chris=christopher
matt=matthew tony=anthony steve=steven stephen=steven andy=andrew ken=kenneth kenny=kenneth josh=joshua kev=kevin
tim=timothy ron=ronald ed=edward eddie=edward ted=edward jeff=jeffrey nick=nicholas jon=jonathan sam=samuel ben=benjamin
greg=gregory alex=alexander pat=patrick ray=raymond jerry=gerald larry=lawrence liz=elizabeth beth=elizabeth betty=elizabeth
peggy=margaret maggie=margaret meg=margaret kate=katherine kathy=katherine katie=katherine catherine=katherine
sue=susan jen=jennifer jenny=jennifer becky=rebecca debbie=deborah debra=deborah barb=barbara vicky=victoria
mohammed=muhammad mohamed=muhammad mohammad=muhammad mehmet=muhammad yusuf=yousef yousuf=yousef hassan=hasan`)

func pairs(s string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Fields(s) {
		a, b, _ := strings.Cut(p, "=")
		out[a] = b
	}
	return out
}

// Bits of names that stand in no list: rarer than the last of it.
const (
	rareSurname = 13_000
	rareGiven   = 10_500
)

var surnameBits = ranks(surnames, 6_900, 450)
var givenBits = ranks(givens, 6_100, 420)

// ranks gives rank r the bits of rank 1 plus slope thousandths of log2 r.
func ranks(list string, first, slope int32) map[string]int32 {
	out := map[string]int32{}
	for i, n := range strings.Fields(list) {
		r := uint32(i + 1)
		// log2 in thousandths: whole part and linear rest
		whole := int32(bits.Len32(r) - 1)
		rest := int32((r - 1<<whole) * 1000 >> whole)
		out[n] = first + (whole*1000+rest)*slope/1000
	}
	return out
}

func bitsOfSurname(s string) int32 {
	if b, ok := surnameBits[s]; ok {
		return b
	}
	return rareSurname
}

func bitsOfGiven(s string) int32 {
	if b, ok := givenBits[s]; ok {
		return b
	}
	return rareGiven
}
