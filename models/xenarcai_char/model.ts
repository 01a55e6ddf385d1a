/** XenArcAI 600B, character level: the character transformer. docs/models/xenarcai_char.md goes through its document. */
export { charTransformer as default } from "../char_transformer.js";
