package report

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Decode reads an encoded report, or says why the bytes are none. It refuses
// what is over MaxSize, truncated or malformed, text that is not UTF-8, and
// fields the schema does not hold: a field that this broker does not know may
// carry a restriction that it would not keep. It does not validate values.
func Decode(data []byte) (*wf.Report, admission.Reasons) {
	if len(data) > MaxSize {
		var rs admission.Reasons
		rs.Add(admission.TooLarge, "", fmt.Sprintf("the report has %d bytes, at most %d are admitted", len(data), MaxSize),
			"send less: move attachments to a store of your own and refer to them")
		return nil, rs
	}
	if rs := scan(data); len(rs) > 0 {
		return nil, rs
	}
	r := new(wf.Report)
	if err := proto.Unmarshal(data, r); err != nil {
		var rs admission.Reasons
		rs.Add(admission.NotProtobuf, "", "the bytes are not an encoded watchfloor.v1.Report", remedyEncode)
		return nil, rs
	}
	return r, nil
}

const remedyEncode = "encode watchfloor.v1.Report with a protobuf library and send its bytes whole and unwrapped"
