"""The TypeScript client as its users get it: packed, installed, bundled."""
