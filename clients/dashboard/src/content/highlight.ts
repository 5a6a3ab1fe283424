// Colours for code in markdown: by far the heaviest part of it, so it is fetched when there is code.

import rehypeHighlight from "rehype-highlight";

// Made once: it registers some forty languages each time.
const colour = rehypeHighlight({ detect: false });

export const highlight = () => colour;
