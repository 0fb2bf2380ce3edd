package quality

// Figures that others published for the same sets, with where they stand.

const splinkDemos = "moj-analytical-services/splink 56bffcb0, docs/demos/examples/duckdb/"

var publishedFebrl3 = []Published{
	{"Splink 4, p >= 0.5", 0.9997, 0.9862, 0.9929, splinkDemos + "febrl3.ipynb"},
	{"Splink 4, p >= 0.99", 1, 0.9633, 0.9813, splinkDemos + "febrl3.ipynb"},
	{"Splink 4, best threshold (oracle)", 0.998, 0.993, 0.9954, splinkDemos + "febrl3.ipynb"},
}

var publishedFake1000 = []Published{
	{"Splink 4, p >= 0.5", 0.9993, 0.675, 0.806, splinkDemos + "accuracy_analysis_from_labels_column.ipynb"},
	{"Splink 4, best threshold (oracle)", 0.964, 0.779, 0.862, splinkDemos + "accuracy_analysis_from_labels_column.ipynb"},
	{"Splink 4 tutorial, best threshold (oracle)", 0.999, 0.838, 0.911, "moj-analytical-services/splink 56bffcb0, 07_Evaluation.ipynb"},
}
