package cost

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
)

// DeviceVersion is that of profiles of GPUs. It changes where a constant gets another
// meaning.
const DeviceVersion = 2

// The kinds of a GPU's profile, beside Quick: by trials of a made-up network.
const (
	// OfProperties was not measured: it is what a card's clocks allow at most, times shares
	// of that which are assumed.
	OfProperties Kind = "properties"
	// OfDevice was measured on the card by a model. It holds for all models.
	OfDevice Kind = "device"
)

// Device is what a GPU can do, as Rates is for a thread of the processor.
type Device struct {
	Version    int    `json:"version"`
	Kind       Kind   `json:"kind"`
	Name       string `json:"name"`               // the card's, as its maker calls it
	Processors int    `json:"processors"`         // its multiprocessors
	Measured   string `json:"measured,omitempty"` // the time in UTC; "" of OfProperties

	// MACs is the multiply-adds per second of all processors together, by kind of kernel
	// (see KernelKind), counted in whole tiles. A kernel that takes several products
	// for one has the smaller rate.
	MACs map[string]float64 `json:"macs_per_second"`
	// Memory is the bytes per second at which the device reads and writes its memory.
	Memory float64 `json:"memory_bytes_per_second"`
	// Launch is the seconds of a launch beside its work, Copy those of a copy beside its
	// bytes, and Alloc those of taking a piece of memory and giving it back.
	Launch float64 `json:"seconds_per_launch"`
	Copy   float64 `json:"seconds_per_copy"`
	Alloc  float64 `json:"seconds_per_allocation"`
	// Up and Down are the bytes per second of copies to and from the device, and Weights those
	// at which weights get there. What the host does before belongs to each, writing tables and
	// patches or putting weights into the kernels' order: nothing depends on it alone.
	Up      float64 `json:"upload_bytes_per_second"`
	Down    float64 `json:"download_bytes_per_second"`
	Weights float64 `json:"weight_upload_bytes_per_second"`

	Spread Spread `json:"spread"`
}

// Kinds of kernels that multiply. All GPUs have a rate of each but the last.
const (
	KernelFFMA      = "ffma"      // one multiply-add after the other, in tiles
	KernelDirect    = "direct"    // groups of few filters, a thread for each value
	KernelDepthwise = "depthwise" // a filter for each channel
	KernelF16x3     = "f16x3"     // tensor cores, three products of fp16 for one
)

// KernelKind is that of a kernel by its name: ffma for conv_ffma_128; "" for kernels that
// multiply nothing, which take as long as the memory.
func KernelKind(kernel string) string {
	kind, is := strings.CutPrefix(kernel, "conv_")
	if !is {
		return ""
	}
	kind, _, _ = strings.Cut(kind, "_")
	return kind
}

// Shares of what a card's properties allow at most that are assumed of kernels: nobody has
// measured them. Cards that do not say their clocks are taken for slow ones.
const (
	shareFFMA, shareDirect, shareF16x3, shareMemory = 0.5, 0.1, 0.25, 0.6
	// products is how many of tensor cores make one of float32.
	products   = 3
	slowClock  = 1 << 30 // Hz
	slowMemory = 50e9    // bytes a second
)

// Assumed likewise, of every card: seconds of a launch, of a copy and of taking memory, and
// bytes a second of copies, of which those up wait for the host to write them.
const (
	usualLaunch, usualCopy, usualAlloc = 5e-6, 2e-5, 1e-4
	usualUp, usualDown                 = 1.5e9, 5e9
)

// unmeasured is the range of estimates that rest on assumptions.
var unmeasured = Spread{Least: 0.2, Most: 5}

// DeviceOf is the profile of a card on which nothing was measured.
func DeviceOf(p driver.Properties) *Device {
	if p.Clock == 0 {
		p.Clock = slowClock
	}
	peak := p.Peak()
	if peak.Memory == 0 {
		peak.Memory = slowMemory
	}
	d := &Device{
		Version: DeviceVersion, Kind: OfProperties, Name: p.Name, Processors: max(1, p.Processors),
		MACs: map[string]float64{
			KernelFFMA: shareFFMA * peak.Float32 / 2, KernelDirect: shareDirect * peak.Float32 / 2, KernelDepthwise: shareDirect * peak.Float32 / 2,
		},
		Memory: shareMemory * peak.Memory, Launch: usualLaunch, Copy: usualCopy, Alloc: usualAlloc,
		Up: usualUp, Down: usualDown, Weights: usualUp, Spread: unmeasured,
	}
	if peak.Float16 > 0 {
		d.MACs[KernelF16x3] = shareF16x3 * peak.Float16 / 2 / products
	}
	return d
}

// ParseDevice reads the profile of a GPU and checks that it is of this version, and that
// what every GPU has is there and positive.
func ParseDevice(data []byte) (*Device, error) {
	d := &Device{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("profile of a GPU: %w", err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("profile of the GPU %q: %w", d.Name, err)
	}
	d.usual()
	return d, nil
}

// usual fills in a spread that the profile does not say.
func (d *Device) usual() {
	if d.Spread == (Spread{}) {
		d.Spread = unknown
	}
}

func (d *Device) check() error {
	if d.Version != DeviceVersion {
		return fmt.Errorf("version %d, not %d", d.Version, DeviceVersion)
	}
	if d.Kind != OfProperties && d.Kind != Quick && d.Kind != OfDevice {
		return fmt.Errorf("kind %q is none of %s, %s, %s", d.Kind, OfProperties, Quick, OfDevice)
	}
	for _, kind := range []string{KernelFFMA, KernelDirect, KernelDepthwise} {
		if _, ok := d.MACs[kind]; !ok {
			return fmt.Errorf("no multiply-adds per second for %s", kind)
		}
	}
	for kind, rate := range d.MACs {
		if !(rate > 0) {
			return fmt.Errorf("%g multiply-adds per second for %s", rate, kind)
		}
	}
	if d.Processors < 1 || !(d.Memory > 0) || !(d.Up > 0) || !(d.Down > 0) || !(d.Weights > 0) {
		return fmt.Errorf("a rate or the number of processors is not positive")
	}
	if d.Launch < 0 || d.Copy < 0 || d.Alloc < 0 {
		return fmt.Errorf("a fixed cost is negative")
	}
	return d.Spread.check()
}

// Calibrated tells whether the profile was measured by a model.
func (d *Device) Calibrated() bool { return d.Kind == OfDevice }

// Fill is the share of the device that a launch occupies while it runs: its blocks come in
// waves of as many as all processors compute at a time, and the last wave takes as long as
// a full one.
func (d *Device) Fill(l gpu.Launch) float64 {
	wave := float64(d.Processors) * float64(max(1, l.Together))
	blocks := float64(max(1, l.Blocks))
	return blocks / (math.Ceil(blocks/wave) * wave)
}

// Launches is the time that the device takes for launches, one after the other; for ever,
// where there is no rate for a kernel.
func (d *Device) Launches(all []gpu.Launch) float64 {
	sum := 0.0
	for _, l := range all {
		s := float64(l.Read+l.Written) / d.Memory
		if l.Tiles > 0 {
			s = max(s, float64(l.Tiles)/d.MACs[KernelKind(l.Kernel)])
		}
		sum += s/d.Fill(l) + d.Launch
	}
	return sum
}

// Beside is what a batch takes while the device computes another one: the host prepares what
// goes up, and both copies.
func (d *Device) Beside(t gpu.Traffic) float64 {
	return float64(t.Tables+t.Patches)/d.Up + float64(t.Scores)/d.Down + 2*d.Copy
}

// Elapsed is the time of so many equal batches of which each computes and has something
// beside that. Two workers compute one while the other's is prepared or copied.
func (d *Device) Elapsed(batches, workers int, computing, beside float64) float64 {
	n := float64(batches)
	if workers < 2 || batches < 2 {
		return n * (computing + beside)
	}
	return n*max(computing, beside) + min(computing, beside)
}

// Bring is the time in which data comes to new memory on the device, in so many pieces.
func (d *Device) Bring(bytes int64, pieces int) float64 {
	return float64(bytes)/d.Up + float64(pieces)*(d.Copy+d.Alloc)
}

// BringWeights is the same of weights, which are put into another order before.
func (d *Device) BringWeights(bytes int64, pieces int) float64 {
	return float64(bytes)/d.Weights + float64(pieces)*(d.Copy+d.Alloc)
}

// BasePass is what a base pass has a device do.
type BasePass struct {
	gpu.Traffic
	Image int64 // bytes of the image, which is a view
	Views int   // pieces of memory for the others
}

// BasePass is the time of one.
func (d *Device) BasePass(b BasePass) float64 {
	return d.Launches(b.Launches) + d.Beside(b.Traffic) + d.Bring(b.Image, 1) + float64(b.Views)*d.Alloc
}
