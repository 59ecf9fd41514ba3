"""PyTorch in a process of its own: answers the benchmark's questions, one line of JSON each.

The inputs are those of cases/data.ts, the networks those of models.ts, in the same order of parameters.
"""

import json
import math
import os
import signal
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SEED = {"a": 1, "b": 2, "gradient": 3, "first": 4, "second": 5, "images": 10, "labels": 11, "parameters": 100}
RATE = {"sgd": 0.05, "adam": 1e-3}
LOOK, SLACK = 0.01, 1.05
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def noise64(size, seed):
    with np.errstate(over="ignore"):
        x = np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed) * np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(15)
        x *= np.uint32(0x2C1B3C6D)
        x ^= x >> np.uint32(12)
        x *= np.uint32(0x297A2D39)
        x ^= x >> np.uint32(15)
    return (x >> np.uint32(8)).astype(np.float64) / 0x800000 - 1


def noise(shape, seed, scale=1.0):
    values = (noise64(math.prod(shape), seed) * scale).astype(np.float32)
    return torch.from_numpy(values).reshape(shape)


def repeated(values, count):
    return np.resize(values, count)


class Block(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        shortcut = [nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)]
        self.short = nn.Sequential(*(shortcut if stride != 1 else []))

    def forward(self, x):
        inner = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inner)) + self.short(x))


def resnet8():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )


LAYERS, WIDTH, HEADS, CONTEXT, VOCABULARY = 4, 128, 4, 128, 256


class GptBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.ln2 = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, mask):
        b = x.shape[0]
        q, k, v = self.qkv(self.ln1(x)).reshape(b, CONTEXT, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(WIDTH / HEADS)
        mixed = torch.softmax(scores.masked_fill(mask, -1e9), -1) @ v
        x = x + self.out(mixed.permute(0, 2, 1, 3).reshape(b, CONTEXT, WIDTH))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList([GptBlock() for _ in range(LAYERS)])
        self.ln = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY)
        self.register_buffer("mask", torch.ones(CONTEXT, CONTEXT).tril() < 0.5)
        self.register_buffer("index", torch.arange(CONTEXT))

    def forward(self, x):
        h = self.tokens(x) + self.places(self.index)
        for block in self.blocks:
            h = block(h, self.mask)
        return self.head(self.ln(h)).reshape(-1, VOCABULARY)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
    )


MODELS = {"lenet": (lenet, [1, 28, 28]), "mlp": (mlp, [1, 28, 28]), "resnet8": (resnet8, [3, 32, 32]), "gpt-tiny": (Gpt, [CONTEXT])}


class Train:
    def __init__(self, work):
        make, shape = MODELS[work["model"]]
        batch = work["batch"]
        self.model = make()
        self.model.train()
        with torch.no_grad():
            for index, (name, p) in enumerate(self.model.named_parameters()):
                if p.dim() >= 2:
                    p.copy_(noise(list(p.shape), SEED["parameters"] + index, math.sqrt(3 / math.prod(p.shape[1:]))))
                else:
                    p.fill_(1.0 if name.endswith("weight") else 0.0)
        each = math.prod(shape)
        if work["model"] == "gpt-tiny":
            tokens = np.floor((noise64(each, SEED["images"]) + 1) / 2 * VOCABULARY).astype(np.int64)
            labels = np.floor((noise64(each, SEED["labels"]) + 1) / 2 * VOCABULARY).astype(np.int64)
            self.x = torch.from_numpy(repeated(tokens, batch * each)).reshape(batch, each)
            self.y = torch.from_numpy(repeated(labels, batch * each))
        else:
            images = noise64(4 * each, SEED["images"]).astype(np.float32)
            labels = np.floor((noise64(4, SEED["labels"]) + 1) / 2 * 10).astype(np.int64)
            self.x = torch.from_numpy(repeated(images, batch * each)).reshape([batch] + shape)
            self.y = torch.from_numpy(repeated(labels, batch))
        kind = torch.optim.SGD if work["optimizer"] == "sgd" else torch.optim.Adam
        self.optimizer = kind(self.model.parameters(), lr=RATE[work["optimizer"]])
        self.losses = []

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        value = loss.item()
        if len(self.losses) < 8:
            self.losses.append(value)

    def outputs(self):
        return {"loss": torch.tensor(self.losses)}


class Function:
    """A function of nothing that keeps what it answered."""

    def __init__(self, names, function):
        self.names = names
        self.function = function
        self.last = ()

    def run(self):
        with torch.no_grad():
            self.last = self.function()

    def outputs(self):
        return dict(zip(self.names, self.last))


class ConvTrain:
    def __init__(self, x, w):
        self.x = x.requires_grad_()
        self.w = w.requires_grad_()

    def run(self):
        y = F.conv2d(self.x, self.w, padding=1)
        self.gradients = torch.autograd.grad((y * y).sum() / 2, [self.x, self.w])

    def outputs(self):
        return dict(zip(["dx", "dw"], self.gradients))


class Adam:
    def __init__(self, size):
        self.p = noise([size], SEED["a"]).requires_grad_()
        self.p.grad = noise([size], SEED["gradient"])
        self.optimizer = torch.optim.Adam([self.p], lr=1e-3)
        second = noise([size], SEED["second"], 0.1).abs() + 0.01
        state = {"step": torch.tensor(9.0), "exp_avg": noise([size], SEED["first"], 0.1), "exp_avg_sq": second}
        self.optimizer.state[self.p] = state

    def run(self):
        self.optimizer.step()

    def outputs(self):
        return {"y": self.p.detach()}


def build(work):
    kind = work["kind"]
    if kind == "matmul":
        a = noise([work["m"], work["k"]], SEED["a"])
        b = noise([work["k"], work["n"]], SEED["b"])
        out = torch.empty(work["m"], work["n"])
        return Function(["y"], lambda: (torch.mm(a, b, out=out),))
    if kind == "conv3x3":
        c, size = work["channels"], work["size"]
        x = noise([work["batch"], c, size, size], SEED["a"])
        w = noise([c, c, 3, 3], SEED["b"], 1 / math.sqrt(c * 3))
        if work["mode"] == "train":
            return ConvTrain(x, w)
        return Function(["y"], lambda: (F.conv2d(x, w, padding=1),))
    if kind == "elementwise":
        size = work["size"]
        if work["fn"] == "adam":
            return Adam(size)
        a = noise([size], SEED["a"])
        out = torch.empty(size)
        if work["fn"] == "add":
            b = noise([size], SEED["b"])
            return Function(["y"], lambda: (torch.add(a, b, out=out),))
        if work["fn"] == "exp":
            return Function(["y"], lambda: (torch.exp(a, out=out),))
        return Function(["y"], lambda: (F.gelu(a),))
    if kind == "rows":
        x = noise([work["rows"], work["columns"]], SEED["a"])
        if work["fn"] == "softmax":
            return Function(["y"], lambda: (torch.softmax(x, -1),))
        n = work["columns"]
        weight, bias = noise([n], SEED["b"]), noise([n], SEED["gradient"])
        return Function(["y"], lambda: (F.layer_norm(x, [n], weight, bias),))
    if kind == "train":
        return Train(work)
    count = torch.zeros(1)
    return Function(["y"], lambda: (count.add_(1),))


def blas():
    """Debian's package also runs on plain reference BLAS, fifty times slower: the results must say which it was."""
    try:
        with open("/proc/self/maps") as maps:
            loaded = maps.read().lower()
    except OSError:
        return "BLAS unknown"
    known = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}
    slow = "slow reference BLAS: apt-get install libopenblas0-pthread"
    return next((name for key, name in known.items() if key in loaded), slow)


class Agent:
    def __init__(self):
        self.runner = None
        self.choices = [1]
        self.threads = 1
        self.best = {}

    def run(self, times):
        for _ in range(times):
            self.runner.run()

    def timed(self, times, threads):
        torch.set_num_threads(threads)
        start = time.perf_counter()
        self.run(times)
        return time.perf_counter() - start

    def open(self, question):
        self.choices = [1, 2] if CORES >= 2 else [1]
        return {"version": f"{torch.__version__}, {blas()}", "threads": 1}

    def prepare(self, question):
        self.runner = None
        self.best = {}
        self.runner = build(question["work"])

    def sample(self, question):
        self.threads = self.choices[-1]
        seconds = self.timed(question["runs"], self.threads)
        outputs = {name: t.detach().reshape(-1) for name, t in self.runner.outputs().items()}
        values = {name: [float(outputs[name][i]) for i in places] for name, places in question["indices"].items()}
        return {"values": values, "seconds": seconds, "threads": self.threads}

    def settle(self, each, most):
        """As in agent.ts: runs without a result until a run takes what it should."""
        runs = max(1, round(LOOK / each))
        spent, took = 0.0, math.inf
        while took > SLACK * each * runs and spent < most:
            took = self.timed(runs, self.threads)
            spent += took

    def time(self, question):
        """While warming up it tries all numbers of threads in turns; the better one so far answers."""
        runs = question["runs"]
        if self.best.get("settled") is None:
            for threads in self.choices:
                each = self.timed(runs, threads) / runs
                self.best.setdefault(threads, []).append(each)
            medians = {t: sorted(self.best[t])[len(self.best[t]) // 2] for t in self.choices}
            self.threads = min(medians, key=medians.get)
            if len(self.best[self.choices[0]]) >= 5:
                self.best["settled"] = True
            return {"seconds": self.best[self.threads][-1] * runs, "threads": self.threads}
        if question.get("settle"):
            self.settle(question["settle"]["each"], question["settle"]["most"])
        return {"seconds": self.timed(runs, self.threads), "threads": self.threads}

    def first(self, question):
        torch.set_num_threads(1)
        start = time.perf_counter()
        self.runner = build(question["work"])
        self.runner.run()
        return {"seconds": time.perf_counter() - start}

    def bytes(self, question):
        raise RuntimeError("PyTorch does not say how many bytes its CPU tensors hold")

    def release(self, question):
        self.runner = None


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    agent = Agent()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            reply = {"ok": True, "value": getattr(agent, question["op"])(question)}
        except Exception as error:  # noqa: BLE001 every failure is an answer
            reply = {"ok": False, "error": str(error).split("\n")[0][:240] or type(error).__name__}
        print(json.dumps(reply), flush=True)


main()
