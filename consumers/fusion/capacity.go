package fusion

import "math"

// ThresholdFor is the threshold in millibits for a set of n reports that form
// situations of three on average: log2(n/3) bits against chance, and 5 for odds
// of 32 to 1 on top. DefaultThreshold is that of ten million.
func ThresholdFor(n int) int32 {
	return int32(math.Round((math.Log2(float64(max(n, 1))/3) + 5) * 1000))
}
