# What the shop's pages say.
