/** Finds, in a parsed file, the variable that each call's value goes into. Loads ts-morph: import it only to parse. */
import { Node, Project } from "ts-morph";

/** A variable; the variables of a destructuring, in order (`""` for a hole); or, of a returned value, the function's name. */
export type Name = string | readonly string[] | { readonly returned: string };

/**
 * The name of the call at a position; line and column count from 1. `whole` is the position in the text of the expression that is
 * stored: the calls inside it share it, and the last value made among them is the variable's.
 */
export type Entry = readonly [line: number, column: number, name: Name, whole: number];

/** The named calls of one file, in the order of the text. */
export function namesIn(path: string, source: string): Entry[] {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const file = project.createSourceFile(path, source);
  const entries: Entry[] = [];
  file.forEachDescendant((node) => {
    const at = callPosition(node);
    if (at === undefined) return;
    const whole = wholeExpression(node);
    const name = destination(whole);
    if (name === undefined) return;
    const { line, column } = file.getLineAndColumnAtPos(at);
    entries.push([line, column, name, whole.getStart()]);
  });
  return entries;
}

/** Where the engine says a call is: at the last name of the callee, or at `new`. */
function callPosition(node: Node): number | undefined {
  if (Node.isNewExpression(node)) return node.getStart();
  if (!Node.isCallExpression(node)) return undefined;
  const callee = unwrap(node.getExpression());
  if (Node.isIdentifier(callee)) return callee.getStart();
  return Node.isPropertyAccessExpression(callee) ? callee.getNameNode().getStart() : undefined;
}

function unwrap(node: Node): Node {
  return Node.isNonNullExpression(node) ? unwrap(node.getExpression()) : node;
}

/** The call chain, or the call with it among the arguments, that an expression is part of: `dot(q, k).mul(s)` of `dot(q, k)`. */
function wholeExpression(node: Node): Node {
  const parent = node.getParent();
  if (parent === undefined) return node;
  if (Node.isPropertyAccessExpression(parent) && parent.getExpression() === node) {
    const call = parent.getParent();
    return Node.isCallExpression(call) && call.getExpression() === parent ? wholeExpression(call) : node;
  }
  if (Node.isCallExpression(parent) && parent.getArguments().includes(node)) return wholeExpression(parent);
  if (Node.isParenthesizedExpression(parent) || Node.isAsExpression(parent) || Node.isNonNullExpression(parent)) {
    const around = wholeExpression(parent);
    return around === parent ? node : around;
  }
  return node;
}

/** What an expression's value is stored in, looking through what passes a value on unchanged. */
function destination(node: Node): Name | undefined {
  const parent = node.getParent();
  if (parent === undefined) return undefined;
  if (
    Node.isParenthesizedExpression(parent) ||
    Node.isAsExpression(parent) ||
    Node.isSatisfiesExpression(parent) ||
    Node.isNonNullExpression(parent) ||
    Node.isTypeAssertion(parent) ||
    Node.isAwaitExpression(parent)
  ) {
    return destination(parent);
  }
  if (Node.isConditionalExpression(parent)) return parent.getCondition() === node ? undefined : destination(parent);
  if (Node.isBinaryExpression(parent)) {
    const operator = parent.getOperatorToken().getText();
    if (operator === "??" || operator === "||") return destination(parent);
    if ((operator === "=" || operator === "??=") && parent.getRight() === node) return target(parent.getLeft());
    return undefined;
  }
  if (Node.isVariableDeclaration(parent) || Node.isBindingElement(parent) || Node.isParameterDeclaration(parent)) {
    return target(parent.getNameNode());
  }
  if (Node.isPropertyAssignment(parent) || Node.isPropertyDeclaration(parent)) return target(parent.getNameNode());
  if (Node.isReturnStatement(parent) || (Node.isArrowFunction(parent) && parent.getBody() === node)) {
    return { returned: functionName(parent) };
  }
  return undefined;
}

/** The name, or the names, of what is assigned to. */
function target(node: Node): Name | undefined {
  if (Node.isIdentifier(node)) return valid(node.getText());
  if (Node.isPrivateIdentifier(node)) return valid(node.getText().slice(1));
  if (Node.isStringLiteral(node)) return valid(node.getLiteralText());
  if (Node.isPropertyAccessExpression(node)) return target(node.getNameNode());
  if (Node.isArrayBindingPattern(node) || Node.isObjectBindingPattern(node)) {
    return node.getElements().map((element) => (Node.isBindingElement(element) ? single(element.getNameNode()) : ""));
  }
  if (Node.isArrayLiteralExpression(node)) return node.getElements().map(single);
  return undefined;
}

function single(node: Node): string {
  const name = target(node);
  return typeof name === "string" ? name : "";
}

/** The name of the function around a returned value: its own, or of the variable or property that holds it; else empty. */
function functionName(returning: Node): string {
  const around = Node.isReturnStatement(returning)
    ? returning.getFirstAncestor((n) => Node.isFunctionLikeDeclaration(n) || Node.isFunctionExpression(n))
    : returning;
  if (around === undefined) return "";
  if (Node.isMethodDeclaration(around) || Node.isGetAccessorDeclaration(around)) {
    // Every module has a `call`; its name says nothing about a value.
    const name = single(around.getNameNode());
    return name === "call" ? "" : name;
  }
  if (Node.isFunctionDeclaration(around) || Node.isFunctionExpression(around)) {
    const name = around.getNameNode();
    if (name !== undefined) return single(name);
  }
  const holder = destination(around);
  return typeof holder === "string" ? holder : "";
}

/** Names that MLIR takes for a value; others (`$`-first, non-ASCII) are left to the printer's numbers. */
const valid = (name: string): string | undefined => (/^[A-Za-z_][A-Za-z0-9_$.-]*$/.test(name) ? name : undefined);
