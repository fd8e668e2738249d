# What the seller's console says.
