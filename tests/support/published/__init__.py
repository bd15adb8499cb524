"""The networks of DARTS (quark0/darts, arXiv 1806.09055) and D-DARTS (aheuillet/D-DARTS, arXiv 2108.09306) as PyTorch modules of our own.

Names, shapes and order of their parameters and buffers are those of the published programs, and so are their results; tests/scripts/published_networks.py
proves both on stored numbers. In the order in which they build on each other:

    genotype    genotype_of(): JSON of mixop, a dict or a named tuple
    operations  candidate operations
    images      NetworkCIFAR, NetworkImageNet of DARTS
    search      Network, the supernet of DARTS; CellwiseNetwork, that of D-DARTS and DARTOpti
    ddarts      NetworkCIFAR, NetworkImageNet of D-DARTS
    recurrent   RNNModel, RNNModelSearch of DARTS
"""
from .genotype import genotype_of

__all__ = ["genotype_of"]
