"""What the screen shows, as files: points as CSV, the run as a page of HTML, the screen as SVG."""
