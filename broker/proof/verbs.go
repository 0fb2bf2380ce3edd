package proof

// call is one subject of the JetStream API.
type call struct {
	name    string
	subject pattern
	verb    Verb
	// Where the stream and the consumer stand; zero: nowhere.
	stream, consumer int
	// tail is where a subject begins that the rest of the tokens write; zero: nowhere.
	tail int
}

const apiRoot = "$JS.API."

func api(name, tokens string, verb Verb, stream, consumer, tail int) call {
	return call{name: name, subject: fixed(apiRoot + tokens), verb: verb, stream: stream, consumer: consumer, tail: tail}
}

// calls is every request that the pinned server answers under $JS.API: a test
// compares it with the server's own list.
var calls = []call{
	api("INFO", "INFO", Learns, 0, 0, 0),
	api("STREAM.NAMES", "STREAM.NAMES", Learns, 0, 0, 0),
	api("STREAM.LIST", "STREAM.LIST", Learns, 0, 0, 0),
	api("STREAM.INFO", "STREAM.INFO.*", Learns, 4, 0, 0),
	api("STREAM.CREATE", "STREAM.CREATE.*", Manages, 4, 0, 0),
	api("STREAM.UPDATE", "STREAM.UPDATE.*", Manages, 4, 0, 0),
	api("STREAM.DELETE", "STREAM.DELETE.*", Manages, 4, 0, 0),
	api("STREAM.PURGE", "STREAM.PURGE.*", Manages, 4, 0, 0),
	api("STREAM.SNAPSHOT", "STREAM.SNAPSHOT.*", Gets, 4, 0, 0),
	api("STREAM.RESTORE", "STREAM.RESTORE.*", Manages, 4, 0, 0),
	api("STREAM.MSG.DELETE", "STREAM.MSG.DELETE.*", Manages, 5, 0, 0),
	api("STREAM.MSG.GET", "STREAM.MSG.GET.*", Gets, 5, 0, 0),
	api("STREAM.PEER.REMOVE", "STREAM.PEER.REMOVE.*", Manages, 5, 0, 0),
	api("STREAM.PEER.EVACUATE", "STREAM.PEER.EVACUATE.*", Manages, 5, 0, 0),
	api("STREAM.CANCEL_MOVE", "STREAM.CANCEL_MOVE.*", Manages, 4, 0, 0),
	api("STREAM.LEADER.STEPDOWN", "STREAM.LEADER.STEPDOWN.*", Manages, 5, 0, 0),
	api("DIRECT.GET", "DIRECT.GET.*", Gets, 4, 0, 0),
	api("DIRECT.GET", "DIRECT.GET.*.>", Gets, 4, 0, 5),
	api("CONSUMER.CREATE", "CONSUMER.CREATE.*", Creates, 4, 0, 0),
	api("CONSUMER.CREATE", "CONSUMER.CREATE.*.>", Creates, 4, 5, 0),
	api("CONSUMER.DURABLE.CREATE", "CONSUMER.DURABLE.CREATE.*.*", Creates, 5, 6, 0),
	api("CONSUMER.NAMES", "CONSUMER.NAMES.*", Learns, 4, 0, 0),
	api("CONSUMER.LIST", "CONSUMER.LIST.*", Learns, 4, 0, 0),
	api("CONSUMER.INFO", "CONSUMER.INFO.*.*", Learns, 4, 5, 0),
	api("CONSUMER.DELETE", "CONSUMER.DELETE.*.*", Manages, 4, 5, 0),
	api("CONSUMER.PAUSE", "CONSUMER.PAUSE.*.*", Manages, 4, 5, 0),
	api("CONSUMER.RESET", "CONSUMER.RESET.*.*", Manages, 4, 5, 0),
	api("CONSUMER.UNPIN", "CONSUMER.UNPIN.*.*", Manages, 4, 5, 0),
	api("CONSUMER.MSG.NEXT", "CONSUMER.MSG.NEXT.*.*", Fetches, 5, 6, 0),
	api("CONSUMER.LEADER.STEPDOWN", "CONSUMER.LEADER.STEPDOWN.*.*", Manages, 5, 6, 0),
	api("CONSUMER.PEER.REMOVE", "CONSUMER.PEER.REMOVE.*.*", Manages, 5, 6, 0),
	api("CONSUMER.PEER.EVACUATE", "CONSUMER.PEER.EVACUATE.*.*", Manages, 5, 6, 0),
	api("META.LEADER.STEPDOWN", "META.LEADER.STEPDOWN", Controls, 0, 0, 0),
	api("META.RESCUE", "META.RESCUE", Controls, 0, 0, 0),
	api("SERVER.REMOVE", "SERVER.REMOVE", Controls, 0, 0, 0),
	api("SERVER.EVACUATE", "SERVER.EVACUATE", Controls, 0, 0, 0),
	api("ACCOUNT.PURGE", "ACCOUNT.PURGE.*", Controls, 0, 0, 0),
	api("ACCOUNT.STREAM.MOVE", "ACCOUNT.STREAM.MOVE.*.*", Controls, 0, 0, 0),
	api("ACCOUNT.STREAM.CANCEL_MOVE", "ACCOUNT.STREAM.CANCEL_MOVE.*.*", Controls, 0, 0, 0),
}

// acks are the forms of acknowledgement and flow control, and the pieces of a
// stream on its way back, with the places of
// stream and consumer. An acknowledgement can ask for the next message, so it
// fetches.
var acks = []call{
	{name: "ACK", subject: fixed("$JS.ACK.*.*.*.*.*.*.*"), verb: Fetches, stream: 2, consumer: 3},
	{name: "ACK.v2", subject: fixed("$JS.ACK._.*.*.*.*.*.*.*.>"), verb: Fetches, stream: 4, consumer: 5},
	{name: "FC", subject: fixed("$JS.FC.*.*.*"), verb: Manages, stream: 2, consumer: 3},
	{name: "SNAPSHOT.ACK", subject: fixed("$JS.SNAPSHOT.ACK.*.*.*.*"), verb: Manages, stream: 3},
	{name: "SNAPSHOT.RESTORE", subject: fixed("$JS.SNAPSHOT.RESTORE.*.*"), verb: Manages, stream: 3},
	{name: "FC.v2", subject: fixed("$JS.FC._.*.*.*.*"), verb: Manages, stream: 4, consumer: 5},
}

// rooms are the server's own parts of the subject space. Whoever may publish
// or listen there beyond the calls above speaks with the server.
var rooms = []pattern{fixed("$JS.>"), fixed("$SYS.>"), fixed("$JSC.>"), fixed("$NRG.>"), fixed("$SRV.>"), fixed("$G.>"),
	fixed("$MQTT.>"), fixed("$KV.>"), fixed("$O.>"), fixed("$LDS.>"), fixed("_R_.>"), fixed("_GR_.>")}

var inboxes = fixed("_INBOX.>")

// seats is where workers of one picture ask for each other and answer.
var seats = []pattern{fixed("seat.>"), fixed("beat.>")}

const seatCall = "SEAT"

// Call is a request of the JetStream API, or an acknowledgement, by its
// subject with wildcards.
type Call struct {
	Name    string
	Subject string
	// Where the stream and the consumer stand among the tokens, and where a
	// subject begins that the rest of the tokens write; zero: nowhere.
	Stream, Consumer, Tail int
}

// Calls lists every request that a server may answer.
func Calls() []Call {
	var out []Call
	for _, list := range [][]call{calls, acks} {
		for _, c := range list {
			out = append(out, Call{c.name, c.subject.String(), c.stream, c.consumer, c.tail})
		}
	}
	return out
}
