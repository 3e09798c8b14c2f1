//! One blow at every boundary of a run, of every kind; afterwards both sides have to come in step.
