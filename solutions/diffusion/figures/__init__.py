"""Everything that is drawn: the lesson's figures (`catalogue`), and grids, strips and animations of images."""
