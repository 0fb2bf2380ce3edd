package quality

import "strings"

// Words of the made sets. None is of the published sets: they are common names
// of the United States, and long tails made of syllables.
var (
	givens = strings.Fields(`James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica
 Thomas Karen Christopher Sarah Charles Lisa Daniel Nancy Matthew Sandra Anthony Betty Mark Ashley Donald Emily Steven Kimberly Andrew Margaret
 Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa Timothy Deborah Ronald Stephanie George Rebecca Jason Sharon Edward Laura
 Jeffrey Cynthia Ryan Dorothy Jacob Amy Gary Kathleen Nicholas Angela Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott
 Anna Brandon Samantha Benjamin Katherine Samuel Christine Gregory Debra Frank Rachel Alexander Carolyn Raymond Janet Patrick Virginia Jack Maria
 Tyrone Keisha Malik Imani Jamal Latisha Duy Linh Mai Rohan Anika Yusuf Amina Diego Lucia Mateo Camila Andrzej Ewa Sean Siobhan Otis Vernell`)
	families = strings.Fields(`Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson
 Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott
 Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz`)
	stems     = strings.Fields(`Ar Bel Cor Dun El Far Gil Hel Is Jor Kar Lam Mon Nev Ol Per Quil Ros Sal Tor Ul Ver Wes Yar Zel Bram Crow Drey Fen Grav Hask Lind Mor Pem Stan Thorn Vick Wen`)
	endings   = strings.Fields(`ak berg bury dahl dell dine er field ford gan hart ick ingham kamp land lett ley low man mer mont more nell ney o ov quist ridge sby sen ski stad stone tin ton ville ward well wick witz worth`)
	mailHosts = strings.Fields(`mailbox.example post.example inbox.example letters.example webmail.example`)
	cities    = strings.Fields(`Jackson Gulfport Southaven Biloxi Hattiesburg Meridian Tupelo Greenville Horn-Lake Pearl Madison Clinton Ridgeland Starkville Columbus Vicksburg Pascagoula Brandon Oxford Gautier Laurel Clarksdale Natchez Greenwood Moss-Point McComb Hernando Canton Grenada Brookhaven`)

	streetNames = strings.Fields(`Oak Maple Cedar Pine Elm Church Main Jefferson Lincoln Walnut Dogwood Magnolia Lake River Hill Spring Mill Ridge Sunset Highland Forest Meadow Pecan Holly Beach Capitol Fortification Pascagoula Tchula Natchez-Trace`)
	streetKinds = strings.Fields(`Street Avenue Road Drive Lane Court Boulevard Circle`)
	shortKinds  = map[string]string{"Street": "St", "Avenue": "Ave", "Road": "Rd", "Drive": "Dr", "Lane": "Ln", "Court": "Ct", "Boulevard": "Blvd", "Circle": "Cir"}

	nicknames = map[string]string{"James": "Jim", "Robert": "Bob", "John": "Jack", "Michael": "Mike", "William": "Bill", "Richard": "Dick", "Joseph": "Joe",
		"Thomas": "Tom", "Christopher": "Chris", "Charles": "Chuck", "Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony", "Steven": "Steve", "Andrew": "Drew",
		"Joshua": "Josh", "Kenneth": "Ken", "Timothy": "Tim", "Edward": "Ed", "Jeffrey": "Jeff", "Nicholas": "Nick", "Jonathan": "Jon", "Benjamin": "Ben",
		"Samuel": "Sam", "Gregory": "Greg", "Alexander": "Alex", "Raymond": "Ray", "Patrick": "Pat", "Patricia": "Patty", "Jennifer": "Jenny",
		"Elizabeth": "Beth", "Barbara": "Barb", "Susan": "Sue", "Jessica": "Jess", "Margaret": "Peggy", "Kimberly": "Kim", "Deborah": "Debbie",
		"Stephanie": "Steph", "Rebecca": "Becky", "Katherine": "Kate", "Cynthia": "Cindy", "Pamela": "Pam", "Christine": "Chris", "Samantha": "Sam"}

	trades = strings.Fields(`Grill Diner Bakery Cafe Hardware Pharmacy Auto-Repair Laundry Florist Books Barbershop Motel Towing Pawn Storage Marine-Supply Feed-and-Seed Tire-Service Print-Shop Market`)
	topics = strings.Fields(`adaptive approximate bounded causal columnar concurrent continuous declarative distributed dynamic efficient elastic fast federated
 graph hybrid incremental indexed interactive layered learned lightweight mobile multidimensional parallel partial persistent private probabilistic relational
 reliable replicated robust scalable secure semantic sparse spatial stateful streaming temporal transactional uncertain versioned`)
	things = strings.Fields(`access aggregation buffers caching clustering compression consistency constraints cubes deduplication discovery evaluation filters
 indexing integration joins locking logging mining optimization partitioning planning provenance queries ranking recovery sampling scheduling schemas search
 skylines sketches snapshots storage streams summaries synchronization tables transactions trees triggers updates views warehouses workflows`)
	venues = [][2]string{{"Symposium on Record Systems", "SRS"}, {"Journal of Stored Knowledge", "J. Stored Knowl."}, {"Conference on Large Tables", "CLT"},
		{"Transactions on Data Engines", "TODE"}, {"Workshop on Queries and Views", "WQV"}, {"International Conference on Stream Processing", "ICSP"}}
)
