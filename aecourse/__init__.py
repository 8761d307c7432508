"""From PCA to Autoencoders: what the notebooks of the course import.

Read the modules in this order: data, models, losses, information, neurons, training, plots,
widgets, layers, live, playgrounds, exercises, checks; then, each with its notebook, pretraining
(05), failures, clinic and wall (06), variational and sound (08), few_labels (12), codecs and
entropy_coding (13), sequences and scores (15), and recipes and reproduce, for full scale. Below all
of them, inputs, letters and shapes take what people have.
"""

import torch

# Networks as small as ours gain little from a second thread, and on a busy machine it made them
# ten times slower. On one thread the numbers are also the same on every machine.
torch.set_num_threads(1)
