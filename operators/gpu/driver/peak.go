package driver

// Peak are rates that a device cannot exceed, 0 where they are not known: in floating-point
// operations a second, of which a multiply-add is two, and in bytes a second.
type Peak struct {
	Float32, Float16 float64
	Memory           float64
}

// Peak is what the properties come to. Float16 is that of tensor cores that add in
// float32; it knows them where they have no other number for the same compute capability (white papers of the A100 and the H100, dense).
func (p Properties) Peak() Peak {
	lanes, tensor := 128, 0 // multiply-adds of a multiprocessor in a clock
	switch p.Capability {
	case [2]int{8, 0}:
		lanes, tensor = 64, 1024
	case [2]int{9, 0}:
		tensor = 2048
	}
	clocks := 2 * float64(p.Processors) * float64(p.Clock)
	return Peak{
		Float32: clocks * float64(lanes), Float16: clocks * float64(tensor),
		Memory: 2 * float64(p.MemoryClock) * float64(p.MemoryBus) / 8, // two transfers in a clock
	}
}
