"""An icon in the desktop's tray: what its menu has, how it looks, and the desktops that show it."""
