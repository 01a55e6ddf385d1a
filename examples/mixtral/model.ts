/** The library's Mixtral (Jiang et al., 2024, arXiv:2401.04088): in each layer a router gives a token to two of eight experts. */
export { mixtral as default } from "xenarc";
