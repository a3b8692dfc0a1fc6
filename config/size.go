package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// units of a size, the larger first; where two divide a size alike, the power
// of 1024 comes first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// ParseSize reads a whole number with a unit: 16MiB, 2GB, 512 kB; without one
// it counts bytes. The case of a unit does not matter.
func ParseSize(text string) (Size, error) {
	digits := strings.TrimRight(text, "BbIiKkMmGgTt ")
	unit := strings.TrimSpace(text[len(digits):])
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%s is not a size", quote(text))
	}
	for _, u := range units {
		if !strings.EqualFold(unit, u.name) && (unit != "" || u.name != "B") {
			continue
		}
		if int64(n) > math.MaxInt64/u.bytes {
			return 0, fmt.Errorf("%s is too large", quote(text))
		}
		return Size(int64(n) * u.bytes), nil
	}
	return 0, fmt.Errorf("%s has an unknown unit", quote(text))
}

// String writes the size with the largest unit that divides it; ParseSize
// reads it back.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
