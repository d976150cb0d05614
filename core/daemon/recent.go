package daemon

// recent remembers what was used last: at least half of maxRecent, at most all of it. The zero value is empty.
type recent[V any] struct{ young, old map[string]V }

const maxRecent = 10_000

// get gives what is remembered, and counts as a use of it.
func (r *recent[V]) get(key string) (v V, ok bool) {
	if v, ok = r.young[key]; ok {
		return v, true
	}
	if v, ok = r.old[key]; ok {
		r.put(key, v)
	}
	return v, ok
}

// forget forgets what will not be used.
func (r *recent[V]) forget(key string) {
	delete(r.young, key)
	delete(r.old, key)
}

// put remembers something. What was not used while half of maxRecent came in is forgotten.
func (r *recent[V]) put(key string, v V) {
	if len(r.young) >= maxRecent/2 {
		r.young, r.old = nil, r.young
	}
	if r.young == nil {
		r.young = make(map[string]V)
	}
	r.young[key] = v
}
