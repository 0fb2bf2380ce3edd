package fusion

import (
	"math/bits"
	"strings"
)

// The commonest surnames and given names, in falling order, several to a line:
// those of the United States by the census, and behind them names that are
// common elsewhere or were in another generation. What stands here is only how
// common a name is. The census gives the bits of a rank: a surname of rank 1 is
// 0.8 % of the people, one of rank 100 0.1 % and one of rank 1,000 0.012 %; a
// given name 1.6 %, 0.2 % and 0.015 %.
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
gonzales fisher vasquez simmons romero jordan patterson alexander hamilton graham
reynolds griffin wallace moreno west cole hayes bryant herrera gibson
ellis tran medina aguilar stevens murray ford castro marshall owens
harrison fernandez mcdonald woods washington kennedy wells vargas henry chen
freeman webb tucker guzman burns crawford olson simpson porter hunter
gordon mendez silva shaw snyder mason dixon munoz hunt hicks
holmes palmer wagner black robertson boyd rose stone salazar fox
warren mills meyer rice schmidt garza daniels ferguson nichols stephens
soto weaver ryan gardner payne grant dunn kelley spencer hawkins
arnold pierce hansen peters santos hart bradley knight elliott cunningham
duncan armstrong hudson carroll lane riley andrews alvarado ray delgado
berry perkins hoffman johnston matthews pena richards contreras willis carpenter
lawrence sandoval guerrero george chapman rios estrada ortega watkins greene
nunez wheeler valdez harper burke larson santiago maldonado morrison franklin
carlson austin dominguez carr lawson jacobs obrien lynch singh vega
bishop montgomery oliver jensen harvey williamson gilbert dean sims espinoza
howell li wong reid hanson le mccoy garrett burton fuller
wang weber welch rojas lucas marquez fields park yang little
banks padilla day walsh bowman schultz luna fowler mejia davidson
acosta brewer may holland juarez newman pearson curtis cortez douglas
schneider joseph barrett navarro figueroa keller avila wade molina stanley
hopkins campos barnett bates chambers caldwell beck lambert miranda byrd
craig ayala lowe frazier powers neal leonard gregory carrillo sutton
fleming rhodes shelton schwartz norris jennings rush watts duran walters
cohen mcdaniel moran parks steele vaughn becker holt deleon barker
terry hale leon benson haynes horton miles lyons pham
graves bush thornton wolfe warner cabrera mckinney mann zimmerman dawson
lara fletcher page mccarthy love robles cervantes solis erickson reeves
chang klein salinas fuentes baldwin daniel simon velasquez hardy higgins
aguirre lin cummings chandler sharp barber bowen ochoa dennis robbins
liu ramsey francis griffith paul blair oconnor cardenas pacheco cross
calderon quinn moss swanson chan rivas khan rodgers serrano fitzgerald
rosales stevenson christensen manning gill curry mclaughlin harmon mcgee gross
doyle garner newton burgess reese walton blake trujillo adkins brady
goodman roman webster goodwin fischer huang potter delacruz montoya todd
wu hines mullins castaneda malone cannon tate mack sherman hubbard
hodges zhang guerra wolf valencia saunders franco rowe gallagher farmer
hammond hampton townsend ingram wise gallegos clarke barton schroeder maxwell
waters logan camacho strickland norman person colon parsons frank harrington
glover osborne buchanan casey floyd patton ibarra ball tyler suarez
bowers orozco salas cobb gibbs andrade bauer conner moody escobar
mcguire lloyd mueller hartman french kramer mcbride pope lindsey velazquez
norton mccormick sparks flynn yates hogan marsh macias villanueva zamora
pratt stokes owen ballard lang brock villarreal charles drake barrera
cain patrick pineda burnett mercado santana shepherd bautista ali shaffer
lamb trevino mckenzie hess olsen cochran morton nash wilkins
petersen briggs shah roth nicholson holloway lozano rangel flowers hoover
short arias mora valenzuela bryan meyers weiss underwood bass greer
summers houston carson morrow clayton whitaker decker yoder collier zuniga
carey wilcox melendez poole roberson larsen conley davenport copeland massey
lam huff rocha cameron jefferson hood monroe anthony pittman huynh
randall singleton kirk combs mathis christian skinner bradford richard galvan
wall boone kirby wilkinson bridges bruce atkinson velez meza roy
vincent york hodge villa abbott allison tapia gates chase sosa
sweeney farrell wyatt dalton horn barron phelps yu dickerson heath
foley atkins mathews bonilla acevedo benitez zavala hensley glenn cisneros
harrell shields rubio huffman choi boyer garrison arroyo bond kane
hancock callahan dillon cline wiggins grimes arellano melton oneill savage
ho beltran pitts parrish ponce rich booth koch golden ware
brennan mcdowell marks cantu humphrey baxter sawyer clay tanner hutchinson
kaur berg wiley gilmore russo villegas hobbs keith wilkerson ahmed
beard mcclain montes mata rosario vang walter henson oneal mosley
mcclure beasley stephenson snow huerta preston vance barry johns eaton
blackwell dyer prince macdonald solomon guevara stafford english hurst woodard
cortes shannon kemp nolan mccullough merritt murillo moon salgado strong
kline cordova barajas roach rosas winters jacobson lester knox bullock
kerr leach meadows davila orr whitehead pruitt kent conway mckee
barr david dejesus marin berger mcintyre blankenship gaines palacios cuevas
bartlett durham dorsey mccall odonnell dougherty browning stein wilkes bentley
davies griffiths murray clarke jarvis ashton hussain begum akhtar bibi
chapman barnes mcgrath byrne oreilly omalley kavanagh macleod mackenzie mclean
lloyd rees pritchard bevan parry hopkinson shepherd whittaker nowak kowalski
kumar sharma gupta das reddy rao desai mehta iyer chowdhury rahman
mohamed muhammad mohammed ahmad hassan hussein ibrahim abdullah mahmoud saleh
ivanov petrov sidorov smirnov kuznetsov popov volkov mueller schulz schaefer
dubois moreau laurent lefebvre bernard rossi bianchi ferrari esposito
sato suzuki tanaka yamamoto watanabe park jung kang cho yoon lim
zhao zhou xu sun hu zhu gao lin he guo luo tang zheng
silva santos oliveira souza pereira costa ferreira almeida`

const givens = `james mary john michael robert david william jennifer patricia linda
elizabeth richard joseph thomas christopher barbara susan jessica daniel charles
matthew sarah karen mark anthony nancy lisa donald steven andrew
paul margaret betty sandra joshua ashley kenneth kevin emily brian
george kimberly timothy ronald jason donna edward michelle jeffrey carol
ryan amanda jacob dorothy melissa gary deborah nicholas stephanie eric
rebecca jonathan sharon stephen laura larry justin cynthia scott brandon
kathleen benjamin amy samuel angela gregory shirley frank anna alexander
brenda raymond pamela patrick emma jack nicole dennis helen jerry
samantha tyler katherine aaron christine jose debra adam rachel nathan
carolyn henry janet zachary catherine douglas maria peter heather kyle
diane noah ruth ethan julie jeremy olivia walter joyce christian
virginia keith victoria roger kelly terry lauren austin christina sean
joan gerald evelyn carl judith harold megan dylan andrea arthur
cheryl lawrence hannah jordan jacqueline jesse martha bryan gloria billy
teresa bruce ann gabriel sara joe madison logan frances alan
kathryn juan janice albert jean willie abigail elijah alice wayne
julia randy judy vincent sophia mason grace roy denise ralph
amber bobby doris russell marilyn bradley danielle philip beverly eugene
isabella louis theresa harry diana fred natalie liam brittany howard
charlotte johnny marie lucas kayla ernest alexis phillip lori martin
craig stanley leonard danny antonio chloe carlos allison luis mia
shawn tiffany jimmy ava tony ella lily lucy oliver harriet
jackson connor caleb isaac hunter cameron evan luke owen max leo
adrian oscar charlie alfie archie freddie theo theodore toby jake
lewis harvey finley tommy reuben elliot elliott jayden riley kai
thomas callum lachlan angus hamish hugo ollie zac blake cooper
phoebe poppy isla freya evie ellie jasmine molly daisy rosie
erin eva maisie millie matilda ruby scarlett zoe georgia imogen
holly amelia leah lola eleanor florence sienna willow ivy elsie
paige bethany caitlin tahlia jade brooke mackenzie claire nina tara
kate katie jenna april crystal dawn wendy tammy tracy stacy
erica monica vanessa melanie veronica cassandra courtney morgan jamie
kelsey lindsay erika kristen kristin katelyn alexandra sabrina gabrielle
jose miguel jorge francisco pedro alejandro manuel ricardo fernando eduardo
javier roberto mario sergio rafael raul ramon hector oscar cesar
rosa ana carmen guadalupe juana lucia elena sofia isabel valentina
angel ivan victor diego marco julio armando arturo enrique gerardo
mohammed ahmed ali omar hassan hussein ibrahim yusuf khalid abdul
fatima aisha maryam zainab khadija layla noor hana amira mariam
wei li jing min yan hui jun lei ying xin
raj amit priya anita sanjay vijay ravi sunita deepak rahul
edith ethel florence mildred gladys elsie edna hazel lillian irene
ida agnes bertha clara emma minnie bessie mabel annie rose
herbert clarence alfred ernest walter frederick fred percy cecil sidney
reginald stanley leslie norman cyril hubert edgar edwin ernst karl
norma lois marjorie june peggy phyllis ellen rita connie sally
clifford clyde floyd leroy lloyd marvin melvin milton vernon warren
calvin curtis cory derek dustin erik gavin glen glenn gordon
grant ian joel jon joel kurt lance marcus marc maurice
micah mitchell neil nigel graham trevor colin stuart simon malcolm
geoffrey barry clive derrick dean darren gareth hugh ross rory
sebastian tristan xavier zane julian jordan josiah levi wyatt carter
jane anne sue lynn rhonda robin roberta sheila stella tina
valerie vera vicki vivian yolanda yvonne wanda gail gina ginger`

// shortForms maps a short form or another spelling to the name it stands for.
var shortForms = pairs(`bob=robert rob=robert robbie=robert bobby=robert bert=robert bill=william will=william billy=william willie=william
liam=william jim=james jimmy=james jamie=james jem=james mike=michael mick=michael mikey=michael micky=michael dave=david davy=david
dan=daniel danny=daniel tom=thomas tommy=thomas joe=joseph joey=joseph jo=joseph dick=richard rick=richard rich=richard ricky=richard richie=richard
chuck=charles charlie=charles charley=charles chas=charles chris=christopher kit=christopher topher=christopher matt=matthew matty=matthew
tony=anthony ant=anthony steve=steven stephen=steven stevie=steven stefan=steven andy=andrew drew=andrew ken=kenneth kenny=kenneth
josh=joshua kev=kevin tim=timothy timmy=timothy ron=ronald ronnie=ronald ed=edward eddie=edward ted=edward teddy=edward ned=edward
jeff=jeffrey geoff=jeffrey geoffrey=jeffrey nick=nicholas nicky=nicholas nico=nicholas nicolas=nicholas jon=jonathan johnathan=jonathan jonny=jonathan
johnny=john jack=john jackie=john ian=john sam=samuel sammy=samuel ben=benjamin benny=benjamin benji=benjamin greg=gregory gregg=gregory
alex=alexander alec=alexander al=albert bertie=albert xander=alexander sandy=alexander pat=patrick paddy=patrick ray=raymond jerry=gerald gerry=gerald
larry=lawrence laurence=lawrence laurie=lawrence liz=elizabeth lizzie=elizabeth beth=elizabeth betty=elizabeth betsy=elizabeth eliza=elizabeth
libby=elizabeth bess=elizabeth elisabeth=elizabeth peggy=margaret maggie=margaret meg=margaret peg=margaret madge=margaret marge=margaret
kate=katherine kathy=katherine katie=katherine catherine=katherine kathryn=katherine katharine=katherine cathy=katherine kitty=katherine kath=katherine
sue=susan susie=susan suzanne=susan jen=jennifer jenny=jennifer jenna=jennifer becky=rebecca becca=rebecca debbie=deborah debra=deborah deb=deborah
barb=barbara babs=barbara vicky=victoria vicki=victoria tori=victoria mandy=amanda mindy=melinda cindy=cynthia pam=pamela
pattie=patricia patty=patricia tricia=patricia trish=patricia nan=nancy ann=anna anne=anna annie=anna hannah=hanna jess=jessica jessie=jessica
steph=stephanie nikki=nicole sally=sarah sara=sarah sadie=sarah mel=melissa missy=melissa molly=mary polly=mary mollie=mary marie=maria
abby=abigail gabby=gabrielle ellie=eleanor nell=eleanor nora=eleanor lena=helena ellen=helen ginny=virginia dottie=dorothy dot=dorothy
fran=frances fanny=frances frank=francis frankie=francis chrissy=christine tina=christine chrissie=christine kris=kristen kristin=kristen
art=arthur artie=arthur walt=walter wally=walter hank=henry harry=henry hal=henry fred=frederick freddie=frederick freddy=frederick
gus=augustus len=leonard lenny=leonard leo=leonard lou=louis louie=louis lewis=louis manny=manuel max=maxwell mort=morton nate=nathaniel nathan=nathaniel
phil=philip phillip=philip pete=peter ralphie=ralph russ=russell stan=stanley sid=sidney vince=vincent vinny=vincent vic=victor vern=vernon
zack=zachary zach=zachary zac=zachary theo=theodore toby=tobias brad=bradley bart=bartholomew cal=calvin cliff=clifford clint=clinton don=donald
donny=donald doug=douglas dom=dominic gabe=gabriel gene=eugene herb=herbert howie=howard ike=isaac izzy=isabella bella=isabella isabel=isabella
jake=jacob jed=jedediah josie=josephine lexi=alexandra lex=alexander lucas=luke marty=martin mitch=mitchell monty=montgomery
norm=norman ollie=oliver randy=randall reg=reginald reggie=reginald rod=rodney roddy=rodney rudy=rudolph shel=sheldon sol=solomon terry=terence
terri=teresa theresa=teresa tess=teresa val=valerie wes=wesley winnie=winifred
pepe=jose paco=francisco pancho=francisco chuy=jesus nacho=ignacio memo=guillermo lalo=eduardo beto=alberto tono=antonio lupe=guadalupe
mohammed=muhammad mohamed=muhammad mohammad=muhammad muhammed=muhammad mehmet=muhammad mohamad=muhammad muhamad=muhammad mukhammad=muhammad
yusuf=yousef yousuf=yousef youssef=yousef yusef=yousef iusuf=yousef hassan=hasan hussain=hussein husain=hussein husayn=hussein khusein=hussein
ahmad=ahmed akhmed=ahmed ahmet=ahmed khaled=khalid umar=omar osama=usama ibraheem=ibrahim abdallah=abdullah abdulla=abdullah fatimah=fatima
kareem=karim rashid=rasheed saeed=said sayed=said syed=said aysha=aisha ayesha=aisha mariam=maryam zaynab=zainab leila=layla leyla=layla
aleksandr=alexander aleksander=alexander alexandr=alexander alexandre=alexander alejandro=alexander aleksey=alexey alexei=alexey aleksei=alexey
sergei=sergey serhiy=sergey dmitri=dmitry dmitriy=dmitry dmytro=dmitry mikhail=michael mykhailo=michael miguel=michael michel=michael
nikolai=nikolay mykola=nikolay andrei=andrey andriy=andrey evgeny=yevgeny evgenii=yevgeny evgeniy=yevgeny yuri=yury iurii=yury yuriy=yury
vladimir=volodymyr ekaterina=yekaterina elena=yelena juan=john johann=john jean=john giovanni=john ivan=john jose=joseph josef=joseph giuseppe=joseph
pedro=peter pierre=peter piotr=peter petr=peter pyotr=peter pablo=paul paolo=paul pavel=paul carlos=charles karl=charles jorge=george georg=george
guillermo=william wilhelm=william enrique=henry heinrich=henry francisco=francis francesco=francis antonio=anthony luis=louis luigi=louis ludwig=louis`)

func pairs(s string) *roster[string] {
	out := map[string]string{}
	for _, p := range strings.Fields(s) {
		a, b, _ := strings.Cut(p, "=")
		out[a] = b
	}
	return rosterOf(out)
}

// Bits of names that stand in no list: rarer than the last of it.
const (
	rareSurname = 13_000
	rareGiven   = 11_000
)

var surnameBits = ranks(surnames, 6_900, 480, rareSurname)
var givenBits = ranks(givens, 6_000, 470, rareGiven)

// ranks gives the first hundred ranks r the bits of rank 1 plus slope
// thousandths of log2 r, and doubles the slope behind them, up to most. A name
// that stands twice has its first rank.
func ranks(list string, first, slope, most int32) *roster[int32] {
	out := map[string]int32{}
	bend := log2(100)
	for i, n := range strings.Fields(list) {
		l := log2(uint32(i + 1))
		if _, twice := out[n]; !twice {
			out[n] = min(most, first+(l+max(0, l-bend))*slope/1000)
		}
	}
	return rosterOf(out)
}

// log2 is the logarithm in thousandths: whole part and linear rest.
func log2(r uint32) int32 {
	whole := int32(bits.Len32(r) - 1)
	return whole*1000 + int32((r-1<<whole)*1000>>whole)
}

func bitsOfSurname(s string) int32 {
	if b, ok := surnameBits.find(s); ok {
		return b
	}
	return rareSurname
}

func bitsOfGiven(s string) int32 {
	if b, ok := givenBits.find(s); ok {
		return b
	}
	return rareGiven
}

// formal is the given name that a short form stands for.
func formal(given string) string {
	if f, ok := shortForms.find(given); ok {
		return f
	}
	return given
}
