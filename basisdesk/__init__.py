"""basisdesk: learn, test and practise the spot-perp basis trade on paper."""

__version__ = "0.1.0"
