"""What the whole-program tests share: peers, real data sets, our programs, and a peer that misbehaves on demand."""
