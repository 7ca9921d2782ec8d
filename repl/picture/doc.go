// Package picture shows pictures in a terminal.
//
// A [Terminal] is asked once what it can do ([Open]) and then for each picture how
// large it is, since people resize windows. There are five kinds:
//
//	kitty    PNG in chunks of base64, which the terminal scales to cells
//	iterm    the same in one piece, of iTerm2, WezTerm and mintty
//	sixel    rows of six pixels in up to 255 colours, of the terminal's own pixels
//	blocks   characters whose upper and lower halves are pixels: everywhere else
//	none     nothing
//
// Which one is found in the environment alone. Terminals would tell more if they were
// asked, but an answer over a slow line comes when nobody waits for it any more, and
// is then taken for typing. TERM_GRAPHICS says it where the environment does not.
//
// # What is drawn
//
// A [Block] is a picture as it stands among the lines of a terminal: lines of text,
// some of which leave room for images that are laid over them. With half-blocks there
// are no images. Where there are, and the window has room, a heat map is the figure
// that .png files hold ([heatmap.Figure]); in smaller windows, and while it grows, it is
// the image with the map over it, between lines of text: its class, p0, the colour bar.
//
// Lines for an image are made before it is drawn, and the cursor is brought back
// afterwards: where terminals leave it differs.
package picture
