"""Several machines of Doorstep on loopback, behind the programs that operators put in front of them."""
