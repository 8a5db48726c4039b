"""An exchange on this machine that speaks the venues' dialects."""
