package cap

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// parseTime reads a CAP time. The zone is mandatory. "Z", an offset without a
// colon and fractional seconds are not of CAP 1.2 but name one instant and no
// other, so they are read; a comma for the sign, which the schema lets
// through, is not.
func parseTime(s string) (time.Time, bool) {
	if strings.ContainsRune(s, ',') {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05-0700", s)
	}
	if err != nil || t.Year() < 1970 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
