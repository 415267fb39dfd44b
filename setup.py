"""The one packaging file. It is also Beam's --setup_file: the workers of an engine get this package and nothing from a main session."""

from pathlib import Path

from setuptools import find_packages, setup

EDGE = [
    # imported only where a class of sensors sends CBOR
    "cbor2>=6",
    # keys, certificates and signatures; google-auth brings it anyway
    "cryptography>=42",
    "google-cloud-pubsub>=2.30",
    # imported only where batches are written for pipelines before 0.3
    "nanoarrow>=0.9",
    "paho-mqtt>=2.1,<3",
    # reads releases of models; imported by the child that fetches them alone
    "tuf>=6",
    "zstandard>=0.23",
    # tflite-runtime has wheels for Python 3.11 only, and on numpy 2 it imports and then fails when a model is loaded
    "numpy<2; python_version < '3.12'",
    "numpy>=2; python_version >= '3.12'",
    "tflite-runtime==2.14.0; python_version < '3.12' and sys_platform == 'linux'",
    "ai-edge-litert>=2; python_version >= '3.12' or sys_platform != 'linux'",
]

# where releases are published from; one wheel for buckets of Cloud Storage, S3 and Azure
PUBLISH = ["obstore>=0.9", "tuf>=6"]

NOTIFY = ["google-cloud-pubsub>=2.30"]

PIPELINE = [
    "apache-beam[gcp]==2.77.*",
    "google-cloud-bigquery>=3.30",
    "google-cloud-bigquery-storage>=2.30",
    "numpy>=1.26",
    "pyarrow>=18",
    "zstandard>=0.23",
]

# no TensorFlow: the model is written with the schema objects that ai-edge-litert carries
TRAIN = [
    "ai-edge-litert>=2",
    "aquacrop==3.1.*",
    # the models' pages
    "jinja2>=3.1",
    "numpy>=1.26",
    "pandas>=2",
    # the third runtime that a model must load in before it is published; it has no releases but dated ones
    "tflite-micro>=0.dev20250101; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version < '3.12'",
]

DASH = [
    # charts as Vega-Lite, drawn to SVG by vl-convert
    "altair>=6",
    "google-cloud-bigquery>=3.30",
    "jinja2>=3.1",
    "starlette>=0.45",
    "uvicorn>=0.30",
    "vl-convert-python>=1.9",
]

LAB = [
    *DASH,
    *EDGE,
    *PIPELINE,
    *TRAIN,
    *PUBLISH,
    "amqtt==0.12.*",
    "drongo==0.8.*",
]

DEV = [
    "aiosmtpd>=1.4",
    "apsw>=3.46",
    "google-cloud-bigquery>=3.30",
    "furo>=2025.9",
    # writes deploy/grafana
    "grafana-foundation-sdk",
    "hypothesis>=6.100",
    "import-linter>=2.1",
    "jsonschema>=4.23",
    "mypy>=1.13",
    "myst-parser>=5",
    # reads locks for the images' bills of materials, and for tests
    "packaging>=24",
    "pillow>=11",
    # looks at the live page in Debian's chromium
    "playwright>=1.48",
    "pyfao56>=1.4",
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.8",
    # reads deploy/terraform for the tests
    "python-hcl2>=8.1",
    "pyyaml>=6",
    "ruff>=0.9",
    "setuptools>=77",
    "sphinx>=8.2",
    "sqlfluff>=3.2",
    "trustme>=1.2",
    "uv>=0.5",
    "vulture>=2.14",
    "websockets>=13",
]

# The lab and the benchmarks are not shipped: they need a checkout. Training is: `tinybeam train` is for who has a warehouse of their own.
ROOMS = find_packages(
    include=[
        "configuration*",
        "costs*",
        "dash*",
        "derive*",
        "edge*",
        "keys*",
        "labels*",
        "notify*",
        "pipeline*",
        "presentation*",
        "program*",
        "releases*",
        "schemas*",
        "sql*",
        "training*",
    ]
)

setup(
    name="tinybeam",
    version="0.2.0",
    description="TinyML at the edge, Apache Beam in the cloud, BigQuery for the people who ask questions",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["apache-beam", "bigquery", "edge", "gateway", "iot", "mqtt", "predictive-maintenance", "pubsub", "sensors", "tinyml"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Home Automation",
        "Topic :: Scientific/Engineering",
        "Topic :: System :: Monitoring",
    ],
    python_requires=">=3.11",
    py_modules=["tinybeam"],
    # said outright, so that an editable installation is the checkout's folder on the path, lab and benchmarks included
    package_dir={"": "."},
    packages=[*ROOMS, "models", "models.soil", "models.vibration"],
    package_data={
        "costs": ["*.toml"],
        "dash": ["*.toml", "*.json", "queries/*.sql", "static/*", "templates/*"],
        "edge": ["*.toml", "*.json", "examples/*", "presets/*.toml"],
        "edge.page": ["*.css", "*.js"],
        "models.soil": ["*"],
        "models.vibration": ["*"],
        "notify": ["*.toml", "*.json"],
        "presentation": ["*.css"],
        "schemas": ["*.json"],
        "schemas.dictionary": ["*.zdict"],
        "sql": ["*.toml", "*/*.sql"],
        "training": ["*/*.j2"],
    },
    install_requires=["click>=8.1", "msgspec>=0.19"],
    extras_require={"dash": DASH, "edge": EDGE, "notify": NOTIFY, "pipeline": PIPELINE, "train": TRAIN, "lab": LAB, "dev": DEV},
    entry_points={"console_scripts": ["tinybeam=tinybeam:main"]},
    zip_safe=False,
)
