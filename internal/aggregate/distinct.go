package aggregate

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/axiomhq/hyperloglog"
)

const (
	// distinctPrecision gives an error of 0.8 %, with 16 KiB for many values and
	// less for few.
	distinctPrecision = 14
	// maxDistinctText is more than any of them takes as text.
	maxDistinctText = 256 << 10
)

// Distinct estimates how many values there are, of which several counted some
// each: a HyperLogLog (Flajolet et al., 2007) that may leave the process. The
// same value counts once wherever it was counted.
type Distinct struct{ sketch *hyperloglog.Sketch }

// NewDistinct makes one without values.
func NewDistinct() *Distinct { return &Distinct{hyperloglog.New14()} }

// Add counts a value.
func (d *Distinct) Add(value string) { d.sketch.Insert([]byte(value)) }

// Merge adds what other counted, which stays as it is.
func (d *Distinct) Merge(other *Distinct) error {
	if err := d.sketch.Merge(other.sketch); err != nil {
		return fmt.Errorf("merge distinct counts: %w", err)
	}
	return nil
}

// Clone is a copy that is on its own.
func (d *Distinct) Clone() *Distinct { return &Distinct{d.sketch.Clone()} }

// Estimate is how many values there are, to some 0.8 %.
func (d *Distinct) Estimate() int { return int(d.sketch.Estimate()) }

// MarshalText implements [encoding.TextMarshaler]: base64 of the sketch, whose
// first byte is the version of its format, which fixes the hash function too.
func (d *Distinct) MarshalText() ([]byte, error) {
	b, err := d.sketch.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("write distinct count: %w", err)
	}
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

var errDistinct = errors.New("read distinct count: it is not one that is understood here")

// UnmarshalText implements [encoding.TextUnmarshaler]. What it reads may come
// from anybody.
func (d *Distinct) UnmarshalText(text []byte) error {
	if len(text) > maxDistinctText {
		return errDistinct
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", errDistinct, err)
	}
	const version = 2
	if len(b) < 2 || b[0] != version || b[1] != distinctPrecision {
		return errDistinct
	}
	var s hyperloglog.Sketch
	if err := s.UnmarshalBinary(b); err != nil {
		return fmt.Errorf("%w: %w", errDistinct, err)
	}
	d.sketch = &s
	return nil
}
