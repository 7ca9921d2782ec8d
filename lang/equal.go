package lang

import "reflect"

// Equal reports whether two trees mean the same text: they have the same shape
// and the same contents. Where they were written does not count, nor how: a
// name is its Key, a number its value, and a list that is empty is one that is
// missing.
func Equal(a, b Node) bool {
	return equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

func equal(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch x := a.Interface().(type) {
	case Located:
		return true
	case Name:
		return x.Key() == b.Interface().(Name).Key()
	case Number:
		return x.equal(b.Interface().(Number))
	case SQL:
		return x.Text == b.Interface().(SQL).Text
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}

// equal compares integers exactly, though a float64 may not tell them apart.
func (n Number) equal(m Number) bool {
	i, isInt := n.Int()
	j, isIntToo := m.Int()
	if isInt && isIntToo {
		return i == j
	}
	return isInt == isIntToo && n.Value == m.Value
}
