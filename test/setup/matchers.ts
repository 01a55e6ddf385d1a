import "../../emit/golden.js";
