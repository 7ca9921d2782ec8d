package store

import (
	"context"
	"database/sql"
	"errors"
)

// Address is what another connection of this process opens the database by, with
// the care that the store's own takes. found is false where nothing was ever stored
// and nothing is to be written; to write, the file is made and brought to the
// present layout.
func (s *Store) Address(ctx context.Context, write bool) (address string, found bool, err error) {
	err = s.inTurn(ctx, write, func(*sql.DB) (err error) {
		address, err = s.address(s.mode)
		return err
	})
	if errors.Is(err, errNothing) {
		return "", false, nil
	}
	return address, err == nil, err
}

// Explain turns an error of such a connection into one for the user, as the store
// does with its own.
func (s *Store) Explain(ctx context.Context, err error) error { return s.explain(ctx, err) }
