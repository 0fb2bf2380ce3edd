package producers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// The errors of this package, by what the caller should do. A report whose
// error is one of these was not acknowledged.
var (
	// ErrUnreachable: nobody answered for the whole retry window. The report may
	// or may not be stored. Send the same report again when the broker is back.
	ErrUnreachable = errors.New("the broker does not answer")
	// ErrUnavailable: the broker answered for the whole retry window that it
	// cannot store now. Send the same report again later, more slowly.
	ErrUnavailable = errors.New("the broker cannot store now")
	// ErrNotPermitted: the credential may not publish such a report in this
	// cell. Use another credential or cell, or ask the owner of the policy.
	ErrNotPermitted = errors.New("the credential does not permit this")
	// ErrCredential: the broker does not accept the credential, or it cannot be
	// read. Get a new one.
	ErrCredential = errors.New("the credential is not accepted")
	// ErrClosed: the client was closed before the report was acknowledged.
	ErrClosed = errors.New("the client is closed")
)

// Refused says that the broker will not admit the report as it is. Fix what
// the reasons name; sending the same bytes again gives the same answer.
type Refused struct {
	Reasons []admission.Reason
}

// Error lists the reasons.
func (r *Refused) Error() string {
	if len(r.Reasons) == 0 {
		return "refused"
	}
	var b strings.Builder
	b.WriteString("refused: ")
	for i, x := range r.Reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(string(x.Code))
		if x.Field != "" {
			b.WriteString(" at " + x.Field)
		}
		b.WriteString(": " + x.Message)
		if x.Remedy != "" {
			b.WriteString(" (" + x.Remedy + ")")
		}
	}
	return b.String()
}

// Has says whether a reason of the code is among them.
func (r *Refused) Has(code admission.Code) bool {
	for _, x := range r.Reasons {
		if x.Code == code {
			return true
		}
	}
	return false
}

// Unacknowledged is what Drain returns when not every report was acknowledged.
type Unacknowledged struct {
	// Reports in the order they were published.
	Reports []Failure
}

// Failure is one report that was not acknowledged.
type Failure struct {
	Report Identity
	// Err says why: a *Refused, one of the errors of this package, or the
	// error of the context that ended Drain.
	Err error
}

// Error counts them and names the first.
func (u *Unacknowledged) Error() string {
	if len(u.Reports) == 0 {
		return "reports not acknowledged"
	}
	f := u.Reports[0]
	return fmt.Sprintf("%d reports not acknowledged, the first is %s revision %d: %v", len(u.Reports), f.Report.ID, f.Report.Revision, f.Err)
}

// Unwrap gives the errors of all reports.
func (u *Unacknowledged) Unwrap() []error {
	out := make([]error, len(u.Reports))
	for i, f := range u.Reports {
		out[i] = f.Err
	}
	return out
}
