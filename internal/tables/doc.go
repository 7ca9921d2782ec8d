// Package tables keeps heat maps as tables that people query: what OCCLUDE ... INTO
// TABLE writes.
//
//	maps            one row for each image, class and position, in the user's own table
//	  map ──▶ id
//	occlude_map     one row for each heat map: what was asked, of which image and model
//	  array ──▶
//	arrays/maps/    the same values as an array, one .npy for each heat map
//
// A table holds the heat maps of as many images, queries and models as are put into
// it. All of it is in the database of package store, in its folder the arrays.
//
// # What a heat map is known by
//
// A table has one heat map for each [Key]: an image file and a query. The query's
// hash covers everything that decides what the rows say, and nothing else (package
// executor makes it). The image's content is not part of the key: a picture that
// has changed is computed again, and its new map takes the old one's place.
//
// # Whole or not at all
//
// A heat map is there when its row of occlude_map is: that and its rows are written
// in one transaction, which writes the array, too. A process that is killed leaves no
// half of a map; at worst it leaves an array that nothing names, which the next one
// writes over, since the array's name follows from key and content. What counts as there
// is in turn what [Table.Find] finds: with all its rows, and its array.
//
// Several processes may fill a table at once. The later of two that have computed
// the same map finds it there and leaves it.
//
// # One plan
//
// Plans of the same query differ by rounding, or by more where they approximate, and
// which is the cheapest depends on what was measured of the machine. The rows of a
// query are to be of one kind all the same, so the first to put any into a table says
// which plan that is (occlude_begun), and the planner keeps to it.
package tables
