# What went wrong and how to mend it, one message a cause.
