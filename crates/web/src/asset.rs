//! Style sheet, script and pictures: compiled in, named by their content, kept by browsers for ever.
