"""The network of the example: a small residual classifier with a short reach.

    input 3x224x224
    stem   conv 3x3 /2, max-pool 2x2 /2             16x56x56
    stage  conv 3x3, residual block                 24x56x56
    stage  conv 3x3 /2, residual block              40x28x28
    head   global max-pool, linear                  5 logits

Every convolution is followed by its own batch normalization. An output of the last block sees 69 pixels of the input,
enough for the largest finding and its surroundings, so what a patch of 16 pixels changes stays local up to the global pool.
"""

import torch
from torch import nn


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.conv(x))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels)

    def forward(self, x):
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = ConvNorm(3, 16, stride=2)
        self.shrink = nn.MaxPool2d(2)
        self.wide = ConvNorm(16, 24)
        self.wide_block = Residual(24)
        self.deep = ConvNorm(24, 40, stride=2)
        self.deep_block = Residual(40)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.head = nn.Linear(40, classes)

    def forward(self, x):
        x = self.shrink(torch.relu(self.stem(x)))
        x = self.wide_block(torch.relu(self.wide(x)))
        x = self.deep_block(torch.relu(self.deep(x)))
        return self.head(torch.flatten(self.pool(x), 1))
