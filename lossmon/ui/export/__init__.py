"""Reports of runs as files: pages of HTML, pictures of the screen."""
