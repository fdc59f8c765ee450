// The STUN target.
