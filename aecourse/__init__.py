"""From PCA to Autoencoders: what the notebooks of the course import.

Read the modules in this order: data, models, losses, information, neurons, training, plots,
widgets, layers, live, playgrounds, exercises, checks; then, each with its notebook, pretraining
(05), failures, clinic and wall (06), samples, schematics and thinning (08), conditional (09),
variational (10), faces, sound and vote (11), few_labels (12), codecs and entropy_coding (13),
sequences and scores (15), and recipes and reproduce, for full scale. For a class there are record
and grade. Below all of them, inputs, letters and shapes take what people have.
"""

import torch

# Networks as small as ours gain little from a second thread, and on a busy machine it made them
# ten times slower. On one thread the numbers are also the same on every machine.
torch.set_num_threads(1)
