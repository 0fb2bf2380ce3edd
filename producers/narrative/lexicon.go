package narrative

import "strings"

// class is what a word may be: several at once.
type class uint64

const (
	given       class = 1 << iota // a given name and little else
	givenAlso                     // a given name that is also a word or a place
	stop                          // never part of a person's name
	honorific                     // mr, dr
	official                      // officer, sgt: names after it are of the writer's colleagues
	subjectRole                   // suspect, driver
	victimRole
	witnessRole
	introducer // named, identified, alias
	speech     // verbs that a person does: said, fled
	color
	shade // dark, light, older
	carMake
	carModel
	carStyle
	month
	weekday
	stateCode // also words: IN, OR; they count in capitals alone
	stateName
	streetType
	unitWord
	direction
	preposition
	numberWord
	cue // the rules of cued
	descriptor
	raceWord
	sexWord
	timeWord
	harm
	road
	itemWord
	hazardWord
	abbreviation
	asking
	contacting
	countyWord
	orgSuffix
	facilityWord
	phoneCue
	otherNumber // the number after it is no telephone number
	service
	people
	netCue
	craftCue
	particle
	residence
	bodily      // what a body does: firms and places do not
	surnameAlso // a family name after a given name that is sure
)

// classes are the words of each class.
var classes = []struct {
	is    class
	words string
}{
	{given, `aaron abdul abdullah abigail adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alexei aleksey alexey alfred ali alice alicia
 allison alvin alyssa amanda amber amelia amir amy ana andre andrea andreas andrew andrei angel angela angelica anita ann anna anne annette annie anthony
 antonio april arlene arnold arthur ashley audrey barbara barry becky belinda ben benjamin bernard bernice beth bethany betty beverly billy bobby bonnie
 boris bradley brandi brandon brandy brenda brenda brent brett brian bridget brittany bruce bryan caleb calvin cameron carl carla carlos carmen carol caroline
 carolyn carrie catherine cathy cedric cesar charlene charles charlie charlotte chelsea cheryl chris christian christina christine christopher cindy claire
 clara clarence claudia clifford clyde cody colin connie corey courtney craig cristina crystal curtis cynthia daisy dale damien dan dana daniel danielle danny
 darius darlene darnell darrell darren darryl dave david dawn deandre deanna debbie deborah debra demarcus denise dennis derek derrick desmond devin devon
 diana diane dmitri dolores dominic donald donna doris dorothy doug douglas duane dustin dwayne dwight dylan ebony eddie edgar edith eduardo edward edwin eileen
 elaine eleanor elena eli elijah elizabeth ella ellen elmer elsie emanuel emily emma enrique eric erica erick erik erika erin ernest ernesto esther ethan ethel
 eugene eva evan evelyn fatima felicia felipe fernando florence floyd frances francis francisco frank franklin fred freddie frederick gabriel gabriela gail
 garrett gary gavin geoffrey george gerald geraldine gerard gilbert gina gladys glenda glenn gloria gordon greg gregory guadalupe guillermo gustavo gwendolyn
 hannah harold harry hassan hazel heather hector heidi helen henry herbert herman holly howard hugh ian ibrahim igor irene irina isaac isabella isaiah ivan
 jack jackie jacob jacqueline jaime jake jamal james jamie jan jane janet janice jared jasmine jason javier jay jean jeanette jeff jeffrey jenna jennifer jenny
 jeremiah jeremy jermaine jerome jerry jesse jessica jessie jesus jill jim jimmy joan joann joanna joanne joe joel joey john johnathan johnnie johnny jon jonathan
 jorge jose joseph josephine joshua joyce juan juanita judith judy julia julian julie julio june justin kaitlyn karen karina karl kate katherine kathleen kathryn
 kathy katie katrina kayla keisha keith kelly kelsey kelvin ken kendra kenneth kenya kerry kevin khalid kim kimberly kristen kristin kristina kristopher krystal
 kurt kyle lakeisha lamar lance larry latoya laura lauren laurie lawrence leah leo leon leonard leroy leslie lester leticia lewis liam lillian linda lindsay lindsey
 lisa lloyd logan lois lonnie loretta lori lorraine louis louise lucas lucia lucille lucy luis luke luz lydia lynn mabel malcolm mandy marc marcia marco marcus
 margaret margarita maria mariah marian marie marilyn mario marion marjorie marlene marquis marsha marshall martha martin marvin mary mateo mathew matthew maureen
 maurice maxine megan meghan melanie melinda melissa melody melvin mercedes meredith michael michele michelle miguel mike mikhail mildred milton minnie miranda mitchell
 mohamed mohammad mohammed moises molly monica monique morris muhammad myrtle nadia nancy naomi natalia natalie natasha nathan nathaniel neil nelson nicholas nicolas
 nicole nikolai nina noah noel nora norma norman olga olivia omar oscar owen pablo pamela patricia patrick patsy patti paul paula pauline pedro peggy percy perry pete
 peter philip phillip phyllis preston priscilla priya rachel rafael ralph ramon randall randy raul ravi raymond rebecca regina reginald renee rhonda ricardo richard
 rick ricky rita robert roberta roberto robin roderick rodney roger roland ronald ronnie rosa rosemary ross roxanne ruben ruby rudy russell ruth ryan sabrina sally
 salvador sam samantha samuel sandra sandy sara sarah scott sean sebastian sergei sergio seth shane shaniqua shanice shannon sharon shaun shawn sheila shelby shelley
 sherri sherry sheryl shirley sidney simon sonia sonya sophia sophie spencer stacey stacy stanley stella stephan stephanie stephen steve steven stewart stuart sue susan
 suzanne svetlana sylvester sylvia tamara tamika tammy tanisha tanya tara tasha tatiana taylor ted teresa terrance terrence terri terry thelma theodore theresa thomas
 tiffany tim timothy tina todd tom tommy tony tonya tracey traci tracy travis trevor tricia troy tyler tyrell tyrone ulysses valerie vanessa vera verna vernon veronica
 vicki vickie victor victoria vincent vivian vladimir walter wanda wayne wendy wesley wilbert william willie wilma yolanda yosef yuri yusuf yvette yvonne zachary
 stefan mikail kristian jonathon geofrey thanh linh minh hussein mustafa karim rashid samir tariq layla zainab fatih mehmet ahmad anwar bilal nasser saeed jamil
 svend lars sven olaf ingrid pierre jacques francois giovanni luigi marco hans klaus jurgen fritz helmut wolfgang takeshi hiroshi kenji akira wei xiu jing hyun`},
	{given, `abdel abdulaziz abdulkarim abu adel adnan aisha akbar alaa aleksandr amal amin amira anas arif arash asad asif ashraf ayman aziz babak badr basim behrouz bashir bashar daoud
 ebrahim emad fahad faisal faris farhad faruk fouad ghassan habib hadi hafiz haider hakim hamed hamid hamza hani haroun hashim hossein husam hussain idris ikram ilyas ismail issa jabir jafar
 jalal jasim javad kamal kamran kassem kazem khadija khaled laith latif mahdi mahmood mahmoud majid malek mansoor marwan masood maysam mehdi moazzam mohammad moustafa muammar muhammed
 mukhtar munir musa mousa muslim nadir naeem naim najib nasir nawaf nazir nizar nour omran othman parviz qasim rafiq rahim ramadan ramzi rauf reza riad riyad rukan saad sabah sabri
 sadiq saif sajid salah saleh salim salman sameer sami sayed shadi shafiq shahid shakir sharif shaukat suleiman sultan taha tahir talal talib tarik taymur umar uthman wael wahid waleed wasim yahya
 yakub yasein yaseen yasin yasir yasser younis yunus zaid zakaria zakir ziad ziyad zuhair aleksandra anatoly anton arkady artem dimitri evgeny fedor galina gennady grigory ilya kirill konstantin
 larisa leonid lyudmila maksim maxim nadezhda nikita oleg pyotr roman ruslan stanislav tatyana timur vadim valentin valery vasily vitaly vyacheslav yevgeny zoya gheorghe ionut andrzej jerzy
 krzysztof marek pawel piotr tomasz wojciech zbigniew jiri milos zoran dragan goran slobodan dejan branko ratko besnik agron arben chen hao jian jun lei ming ping qiang xiaoming yong zhang li hyeon
 minho jihoon hiro kazuo yuki satoshi nobu taro abhishek aditya ajay amit anand arvind ashok gaurav harish kiran lakshmi manish manoj mukesh naveen neha nikhil pankaj prakash pradeep rahul raj
 rajesh rakesh ramesh rohit sachin sandeep shyam siddharth sunil suresh uma vijay vikram vinod vivek abel abraham alonzo amado anibal benito camila cesar cristobal domingo efrain elias emilio ernesto
 ezequiel fabian federico felix fidel gabriela gerardo gilberto gonzalo hector heriberto hernan horacio hugo humberto isidro israel jairo joaquin jose josue leonardo leonel lorenzo lucio marcelo
 mariana matias maximo melchor miguelangel moises nestor nicanor noe octavio orlando osvaldo pascual pilar porfirio ramiro reynaldo rocio rogelio rolando rosalinda rosario ruben salvador santiago
 saul silvia tomas ulises valentina vicente wilfredo ximena yesenia yolanda zoila oluwaseun adebayo chukwu ifeanyi obinna olumide tunde babatunde abebe tesfaye mulugeta haile tadesse jomo kipchoge
 moussa ousmane mamadou amadou ibrahima fatou seydou boubacar alioune cheikh`},
	{given, `terrell tyree jalen jaylen malik trayvon rashad kareem lamont jamarcus demetrius antwan antoine cedrick quinton jarvis deshawn tremaine latasha shaquille lakendra kendrick marquez quincy rodrigo alfonso arturo armando ignacio esteban mauricio rigoberto lupe marisol xavier bryce cody dalton tanner colton hailey kaylee brianna alexis brooklyn jayden aiden mason ethan nguyen thuy duc phuong mei yan sanjay anil deepak sunita arjun natalya oksana dmitry viktor pavel andrii olena bogdan radu ion mihai ahmad abdulrahman abdallah osama usman imran farid nabil tarek walid youssef salma leila maryam nasreen kwame kofi chidi emeka ngozi amina`},
	{given, `bill bob brad chad clay don drew gene ken lee lily lou mark matt nick norm pat phil ray rob ron roy gus sal frank holly ruby amber dawn crystal`},
	{givenAlso, `art austin brook brooke brooks candy carolina cash chance charity chase chip cliff cole dakota dallas dean destiny duke dusty earl faith florida forest georgia
 grace grant guy harmony hope hunter ivy jackson jade jasper jewel jordan joy justice king lane lincoln madison mason max may melody mercy miles misty montana olive pearl penny
 prince rex rich rod rose royal rusty savannah sierra sky skip sterling stone summer trey trinity tucker van virginia wade ward warren will willow wood violet baron ace angel
 cherry sandy robin iris ginger star april june august rocky`},
	{stop, `a an the and or but of in on at to from by for with without into onto over under after before during while when where who whom whose which that this these those
 he she they it we you i his her hers their its our your my me him them us is are was were be been being am has have had do does did will would shall should can could may
 might must not no yes if then than as so such also very more most less least many much few some any all both each every either neither one two three four five six seven
 eight nine ten first second third last next other another same new old unknown suspicious possible possibly reported reporting report reports caller case incident
 police sheriff sheriff's department dept office officer officers deputy deputies fire rescue emergency medical services service center centre company county parish city
 town village state states united federal national international regional municipal local north south east west northern southern eastern western central northeast
 northwest southeast southwest street avenue road drive lane highway interstate boulevard bridge river lake creek bay gulf ocean sea mountain valley park school
 elementary middle high university college academy church hospital clinic airport station plant terminal port dam mall store market bank hotel motel inn restaurant
 casino stadium arena library museum courthouse jail prison building tower plaza square apartment apartments suite room floor unit gate fence door window
 monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december jan feb mar apr jun jul aug
 sep sept oct nov dec today yesterday tomorrow tonight morning afternoon evening night midnight noon week month year day hour hours minutes
 america american americans mexico mexican canada canadian russia russian china chinese iran iranian iraq iraqi syria syrian germany german france french spain spanish
 england english british irish italian japan japanese korea korean india indian africa african asian european hispanic latino white black male female man woman boy girl
 person persons people subject subjects suspect suspects victim victims witness witnesses driver drivers passenger passengers owner resident residents employee employees
 vehicle vehicles car truck van suv sedan pickup motorcycle trailer bus plate tag license licence registration vin number phone cell telephone call calls email address
 name names date birth dob age sex race height weight hair eyes brown blond blonde ssn dl oln fbi dea atf cia nsa dhs tsa fema nws noaa usms irs usps mbi mhp mema
 narrative summary description subject info information source sources intelligence agency agencies bureau administration investigation unit task force
 tornado hurricane storm flood flooding thunderstorm warning watch advisory alert severe winter wind winds rain snow ice heat tropical depression
 gas oil water power electric energy nuclear chemical weapon weapons gun guns rifle pistol handgun shotgun knife bomb explosive explosives device drone
 active shooter shots shot fired attack threat threats terror terrorist terrorism suspicious activity surveillance photography theft robbery burglary assault
 homicide murder arson fraud narcotics drugs traffic stop accident crash collision domestic disturbance missing wanted stolen arrested located seen observed
 north st ave rd dr ln blvd hwy ct cir pl pkwy lot yard shop warehouse dock pier garage home house residence business corporation corp inc llc ltd co group
 army navy marine marines corps guard coast force forces base fort camp naval military us usa usaf uscg usmc
 president senator congressman congresswoman governor mayor judge attorney general secretary director chief captain lieutenant sergeant trooper agent detective
 public safety health security homeland transportation education justice commission committee council board court supreme district circuit
 update updated correction corrected follow followup supplement supplemental note notes advised advises
 staff student students teacher teachers doctor nurse guard guards customer clerk manager worker workers contractor contractors visitor visitors
 red blue green gray grey silver gold tan beige maroon orange purple yellow
 ford chevrolet chevy dodge toyota honda nissan jeep gmc ram kia hyundai bmw audi mazda subaru volkswagen buick cadillac chrysler acura lexus infiniti
 jesus god lord christ christmas easter thanksgiving labor memorial independence veterans
 involved confirmed received passed heard asked named called identified known using about near around
 operation operations project program system systems network control command mission event events area region section division branch sector zone exit mile route
 township village lodge club mountains hills island islands beach beaches falls springs heights creek canyon desert coast pass range trail ranch lagoon harbor harbour marina above below beyond inc's there here what how why because since until against between through per via re attn fwd unit units approximately approx about
 interest visits travel record records contacts pattern life exchange messages watcher's assessment joint victim notified tip received`},
	{surnameAlso, `white black brown green gray grey gold silver ford west north park lake rivers hill church bell long young price day march may marshall case gates field fields banks
 brooks waters wood woods stone rice bush cook baker mason carter law judge hunter fisher major chambers snow winters frost english french noble bishop pope abbott knight temple
 washington mann west hall king ward page guard lane rose love hope little small rich wise best cross moss reed marine post dodge lincoln ames weeks bridges towers street branch justice duke
 constable sergeant parish pool farmer weaver potter glass church house battle bird hardy means bond bonds mills singer parson pierce penny post root rush sharp short speed steel
 power powers ray royal self shield story strong swift tower town train tower trice true twitty vance waters watts wells wild wolf cash early crow drum fair flowers fountain free`},
	{honorific, `mr mrs ms miss dr rev reverend pastor mister`},
	{official, `ssa gov sen pres officer ofc deputy dep sgt sergeant lt lieutenant capt captain cpl corporal det detective inv investigator chief sheriff trooper agent sa special judge
 commander cmdr commissioner mayor governor senator president secretary director spokesman spokeswoman spokesperson ranger marshal constable coroner prosecutor
 pio major maj colonel col general gen ofcr patrolman superintendent supt coach principal professor prof congressman congresswoman representative rep`},
	{subjectRole, `suspect suspects subject subjects driver drivers passenger owner perpetrator gunman shooter assailant offender defendant arrestee accused individual
 male female man woman suspect's operator renter occupant fugitive inmate hijacker bomber attacker perp susp subj involved registrant buyer customer visitor traveler`},
	{victimRole, `victim vict victims complainant comp patient decedent deceased`},
	{witnessRole, `witness wit caller reportee reporter informant r/p rp clerk neighbor`},
	{introducer, `named identified id'd aka alias called himself herself name names known a/k/a nickname aliases moniker`},
	{speech, `said stated says told admitted denied claimed refused fled ran drove walked asked gave used uses paid bought purchased rented entered left arrived threatened
 spoke wrote posted photographed filmed attempted tried met visited returned boarded departed advised reported opened sent received called texted attended travelled
 traveled flew owns owned works worked lives lived resides resided shot stabbed killed died surrendered pleaded was is has had went became who answers matched denies
 wired transferred withdrew deposited ordered picked dropped parked stayed stood knew heard saw planned plans intends believes`},
	{bodily, `fled ran drove walked paid bought purchased rented entered left threatened filmed photographed posted spoke wrote boarded shot stabbed lives resides surrendered
 wired texted called traveled travelled stayed parked uses gave asked admitted confessed pleaded flew met stole returned transferred withdrew phoned telephoned emailed deposited opened visited arrived departed works worked married emigrated studied enrolled trained overstayed obtained applied recruited drives drove resisted attended`},
	{color, `white whi black silver gray grey blue red tan green brown maroon gold beige orange yellow purple burgundy teal bronze charcoal champagne navy cream pink
 blk wht sil slv gry blu grn brn mar bge gld`},
	{shade, `dark light bright older newer dk lt late-model faded two-tone metallic`},
	{carStyle, `van pickup truck sedan suv coupe hatchback wagon minivan convertible motorcycle crossover limousine semi tractor-trailer u-haul dually flatbed ambulance`},
	{month, `january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec`},
	{weekday, `monday tuesday wednesday thursday friday saturday sunday mon tues tue wed thurs thur thu fri sat sun`},
	{stateCode, `al ak az ar ca co ct de dc fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy pr`},
	{stateName, `alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky louisiana
 maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia
 washington wisconsin wyoming miss mississippi's tenn ala calif fla tex`},
	{streetType, `street st avenue ave av road rd drive dr lane ln boulevard blvd court ct circle cir place pl parkway pkwy way trail trl terrace ter loop pike square
 sq cove cv alley aly crossing xing row plaza`},
	{unitWord, `apt apartment unit suite ste room rm lot #`},
	{direction, `n s e w north south east west ne nw se sw n. s. e. w. northeast northwest southeast southwest`},
	{preposition, `in at near from of to outside around inside toward towards through`},
	{numberWord, `one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty
 fifty dozen several`},
	{cue, `plate plates tag tags lp lic license licence registration reg dl oln odl passport ssn ssan social fbi sid imei serial sn s remote account acct username user
 handle screenname screen nickname case file ref reference incident report complaint cad docket warrant ticket citation event cfs offense run cr number dob born birth birthdate
 birthday age aged imo mmsi tail vin driver driver's drivers number ids telegram whatsapp partial storm operator's dr`},
	{descriptor, `w/m w/f b/m b/f h/m h/f a/m a/f i/m i/f u/m wm wf bm bf hm hf w b h a male female`},
	{raceWord, `white black hispanic asian latino latina african caucasian`},
	{sexWord, `male female man woman males females`},
	{timeWord, `yesterday today tonight last this on`},
	{harm, `injuring killing wounding`},
	{road, `i us hwy highway interstate route rt sr ih ms mo state`},
	{hazardWord, `tornado hurricane tropical flash flood severe winter blizzard ice heat wildfire earthquake tsunami dense high storm chemical gas hazmat train boil dam`},
	{abbreviation, `mr mrs ms dr st no jr sr vs approx apt lt sgt capt det dep cpl ofc inc corp co ltd ft mt blvd ave rd dept hwy lic reg tel ph ext`},
	{asking, `anyone information tips questions assistance please urged hotline crimestoppers stoppers help additional details`},
	{contacting, `call contact contacting calling dial visit email hotline crimestoppers stoppers reach online website`},
	{countyWord, `county parish co cnty counties`},
	{orgSuffix, `inc incorporated llc l.l.c corp corporation ltd limited llp plc gmbh lp`},
	{facilityWord, `airport hospital center centre stadium arena school university college plant station substation dam bridge courthouse mall church refinery shipyard
 casino capitol coliseum terminal base academy mosque synagogue temple prison penitentiary reservoir lock pipeline tower library zoo`},
	{phoneCue, `phone cell call called calls caller tel telephone number mobile text texted texts dial dialed contact ph cellular callback voicemail whatsapp burner line sms from using`},
	{otherNumber, `case isbn invoice order tracking flight ref reference upc model docket policy claim ticket part sku report incident complaint citation warrant account acct
 serial version badge room issn catalog lot permit file po confirmation routing item stock csn event cad imei`},
	{service, `telegram whatsapp signal instagram snapchat facebook twitter tiktok discord kik wickr venmo cashapp paypal reddit gab parler tiktok youtube threema wechat vk zelle
 skype steam xbox gmail`},
	{people, `people persons person victims others adults children students officers men women individuals civilians residents passengers soldiers workers employees patients
 occupants bystanders deputies firefighters dead`},
	{netCue, `ip address addresses host server domain site website beacon beacons beaconed c2 dns resolves connected connection connections logins login traffic from url`},
	{craftCue, `aircraft plane helicopter airplane tail cessna piper beechcraft cirrus registration jet pilot rotorcraft gulfstream bell learjet flight`},
	{particle, `de la del van von der da dos al el bin ibn st le du`},
	{residence, `lives resides residing resident lived living residence home address`},
}

// lexicon is every word with what it may be.
var lexicon = func() map[string]class {
	m := make(map[string]class, 4096)
	for _, c := range classes {
		for w := range strings.FieldsSeq(c.words) {
			m[w] |= c.is
		}
	}
	for k := range carMakes {
		m[k] |= carMake
	}
	for k := range modelMakes {
		m[k] |= carModel
	}
	for _, p := range items {
		w, _, _ := strings.Cut(p.words, " ")
		m[w] |= itemWord
	}
	return m
}()

// alone says whether a word that is also a state's code stands for the state:
// in capitals, in a text that is not all capitals or after a comma.
func (s *scan) state(i int) (code string, next int) {
	t := s.tok(i)
	switch {
	case t.class&stateCode != 0 && t.letters == upper && t.end-t.start == 2:
		code = s.raw(i)
		next = i + 1
		if s.symbolAt(next, ".") && s.glued(next) && !s.tok(next+1).gap {
			return "", i
		}
		return code, next
	case t.letters == lower && !s.shouted:
		return "", i
	case t.class&(stateName) != 0:
		return stateCodes[s.word(i)], i + 1
	}
	two := s.word(i) + " " + s.word(i+1)
	if c, ok := stateCodes[two]; ok {
		return c, i + 2
	}
	return "", i
}

// stateCodes are the states' names with their USPS codes.
var stateCodes = map[string]string{
	"alabama": "AL", "alaska": "AK", "arizona": "AZ", "arkansas": "AR", "california": "CA", "colorado": "CO", "connecticut": "CT", "delaware": "DE",
	"florida": "FL", "georgia": "GA", "hawaii": "HI", "idaho": "ID", "illinois": "IL", "indiana": "IN", "iowa": "IA", "kansas": "KS", "kentucky": "KY",
	"louisiana": "LA", "maine": "ME", "maryland": "MD", "massachusetts": "MA", "michigan": "MI", "minnesota": "MN", "mississippi": "MS", "missouri": "MO",
	"montana": "MT", "nebraska": "NE", "nevada": "NV", "ohio": "OH", "oklahoma": "OK", "oregon": "OR", "pennsylvania": "PA", "tennessee": "TN", "texas": "TX",
	"utah": "UT", "vermont": "VT", "virginia": "VA", "washington": "WA", "wisconsin": "WI", "wyoming": "WY", "miss": "MS", "tenn": "TN", "ala": "AL", "calif": "CA",
	"fla": "FL", "tex": "TX", "new hampshire": "NH", "new jersey": "NJ", "new mexico": "NM", "new york": "NY", "north carolina": "NC", "north dakota": "ND",
	"rhode island": "RI", "south carolina": "SC", "south dakota": "SD", "west virginia": "WV", "puerto rico": "PR",
}

// numberWords are counts in words.
var numberWords = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "dozen": 12,
}
