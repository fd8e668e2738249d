# How a license stands, and what a validation found.
