"""The training room: corpora, features' cache, training of the gate and the experts, evaluation."""
