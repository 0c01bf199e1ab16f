"""Records of named values, and the axis that they are placed on."""
