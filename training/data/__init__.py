"""What a network learns from: photographs, and the pairs that are rendered from them."""
