"""Trains the models this service ships and writes them into ../models.

    python3 -m venv /some/where && /some/where/bin/pip install -r requirements.txt && /some/where/bin/python train.py

Data: the real, public data sets that come with scikit-learn (nothing is downloaded). Every model version becomes
models/<name>/<version>/{model.onnx,model.json}; models/<name>/rows.json holds held-out rows that the sample traffic
replays. The predictions in model.json are those of the ONNX file for rows the training never saw.
"""

import hashlib
import json
import pathlib
from datetime import datetime, timezone

import numpy as np
import onnxruntime
import sklearn
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 20240229
OPSET = 17
SAMPLES = 8
MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"

UCI = "https://archive.ics.uci.edu/dataset"
SETS = {
    "wine-cultivar": {
        "load": load_wine,
        "output": "class",
        "dataset": {
            "name": "Wine recognition (UCI Wine)",
            "source": f"{UCI}/109/wine, as bundled with scikit-learn (sklearn.datasets.load_wine)",
            "licence": "CC BY 4.0",
            "citation": "Aeberhard, S. & Forina, M. (1992). Wine. UCI Machine Learning Repository.",
        },
        "versions": {
            "1": LogisticRegression(C=0.02, max_iter=2000, random_state=SEED),
            "2": RandomForestClassifier(n_estimators=40, max_depth=5, random_state=SEED),
        },
    },
    "breast-cancer": {
        "load": load_breast_cancer,
        "output": "class",
        "dataset": {
            "name": "Breast Cancer Wisconsin (Diagnostic)",
            "source": f"{UCI}/17, as bundled with scikit-learn (sklearn.datasets.load_breast_cancer)",
            "licence": "CC BY 4.0",
            "citation": "Wolberg, W., Mangasarian, O., Street, N. & Street, W. (1993). "
            "Breast Cancer Wisconsin (Diagnostic). UCI Machine Learning Repository.",
        },
        "versions": {
            "1": GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=SEED),
            "2": LogisticRegression(C=0.05, max_iter=2000, random_state=SEED),
        },
    },
    "diabetes-progression": {
        "load": lambda: load_diabetes(scaled=False),
        "output": "value",
        "dataset": {
            "name": "Diabetes (Efron et al. 2004), unscaled",
            "source": "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html, "
            "as bundled with scikit-learn (sklearn.datasets.load_diabetes(scaled=False))",
            "licence": "public data of the article; distributed with scikit-learn (BSD-3-Clause)",
            "citation": "Efron, B., Hastie, T., Johnstone, I. & Tibshirani, R. (2004). "
            "Least Angle Regression. Annals of Statistics 32(2), 407-499.",
        },
        "versions": {
            "1": GradientBoostingRegressor(n_estimators=80, max_depth=2, learning_rate=0.08, random_state=SEED),
            "2": Ridge(alpha=10.0),
        },
    },
}
# As in a model registry: what is served by default, and what was served before.
STAGES = {"1": ("Archived", ["previous"]), "2": ("Production", ["champion"])}


def float32(rows):
    """Rows as the service sees them: decimal text, then single precision."""
    return np.asarray(rows, dtype=np.float32)


def scores(kind, truth, predicted):
    if kind == "class":
        return {
            "accuracy": round(float(accuracy_score(truth, predicted)), 4),
            "f1_macro": round(float(f1_score(truth, predicted, average="macro")), 4),
        }
    return {
        "r2": round(float(r2_score(truth, predicted)), 4),
        "mean_absolute_error": round(float(mean_absolute_error(truth, predicted)), 3),
    }


def sample_rows(predicted):
    """Places of rows whose predictions differ as much as possible."""
    order = np.argsort(predicted, kind="stable")
    return [int(i) for i in order[np.linspace(0, len(order) - 1, SAMPLES).astype(int)]]


def train(name, spec):
    data = spec["load"]()
    features = [str(f).replace(" ", "_") for f in data.feature_names]
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, data.target, test_size=0.25, random_state=SEED,
        stratify=data.target if spec["output"] == "class" else None,
    )
    rows = [[float(f"{value:.6g}") for value in row] for row in test_x]
    for version, estimator in spec["versions"].items():
        model = make_pipeline(StandardScaler(), estimator).fit(float32(train_x), train_y)
        options = {id(model): {"zipmap": False}} if spec["output"] == "class" else None
        onnx = to_onnx(model, float32(train_x[:1]), options=options, target_opset=OPSET).SerializeToString()
        session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
        output = session.get_outputs()[0].name
        feeds = {session.get_inputs()[0].name: float32(rows)}
        predicted = session.run([output], feeds)[0].reshape(-1)
        folder = MODELS / name / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(onnx)
        stage, aliases = STAGES[version]
        number = int if spec["output"] == "class" else float
        meta = {
            "name": name,
            "version": version,
            "stage": stage,
            "aliases": aliases,
            "algorithm": type(estimator).__name__,
            "dataset": spec["dataset"],
            "output": spec["output"],
            **({"classes": [str(c) for c in data.target_names]} if spec["output"] == "class" else {}),
            "n_features": len(features),
            "features": features,
            "input_name": session.get_inputs()[0].name,
            "output_name": output,
            "trained_at": datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "trained_with": f"scikit-learn {sklearn.__version__}",
            "rows": {"training": len(train_x), "test": len(test_x)},
            "metrics": scores(spec["output"], test_y, predicted),
            "sha256": hashlib.sha256(onnx).hexdigest(),
            "samples": [{"features": rows[i], "prediction": number(predicted[i])} for i in sample_rows(predicted)],
        }
        (folder / "model.json").write_text(json.dumps(meta, indent=2) + "\n")
        print(name, version, meta["algorithm"], meta["metrics"], f"{len(onnx)} bytes")
    replay = {"dataset": spec["dataset"]["name"], "features": features, "rows": rows}
    text = json.dumps(replay).replace("[[", "[\n[").replace("], [", "],\n[").replace("]]", "]\n]")
    (MODELS / name / "rows.json").write_text(text + "\n")


if __name__ == "__main__":
    for model_name, specification in SETS.items():
        train(model_name, specification)
