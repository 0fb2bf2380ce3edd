package subject

import wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"

// ReplayConsumer is the durable by which cell reader reads a channel of a
// cell's REPORTS once more from the beginning, one status, to tell what its
// picture was. It has the filters of WorkerConsumer.
func ReplayConsumer(reader string, status wf.Status, c Channel) string {
	name := "replay_" + reader + "_" + StatusToken(status)
	if c == Open {
		return name
	}
	return name + "_" + string(c)
}

// Frames matches every frame of a picture and every part of one.
func Frames(status wf.Status) string { return "snapshot." + StatusToken(status) + ".frame.>" }

// History is the request for messages of a stream by sequence or time. Whoever
// may make it reads everything in the stream.
func History(stream string) string { return "$JS.API.DIRECT.GET." + stream }

// Erase is the request to overwrite one message of a stream.
func Erase(stream string) string { return "$JS.API.STREAM.MSG.DELETE." + stream }
