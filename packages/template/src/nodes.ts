// The syntax tree of a template, and how its nodes print themselves in error messages.

interface NodeBase {
  /** Offset in the source, UTF-16 units. */
  readonly position: number
}

export interface TextNode extends NodeBase {
  readonly kind: 'text'
  readonly text: string
}
export interface ListNode extends NodeBase {
  readonly kind: 'list'
  readonly nodes: readonly Node[]
}
export interface ActionNode extends NodeBase {
  readonly kind: 'action'
  readonly pipe: PipeNode
}
export interface BranchNode extends NodeBase {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipe: PipeNode
  readonly list: ListNode
  readonly elseList: ListNode | undefined
}
export interface TemplateNode extends NodeBase {
  readonly kind: 'template'
  readonly name: string
  readonly pipe: PipeNode | undefined
}
export interface JumpNode extends NodeBase {
  readonly kind: 'break' | 'continue'
}
/** Only inside the parser. */
export interface MarkNode extends NodeBase {
  readonly kind: 'end' | 'else'
}
export interface PipeNode extends NodeBase {
  readonly kind: 'pipe'
  readonly declared: readonly VariableNode[]
  readonly isAssign: boolean
  readonly commands: readonly CommandNode[]
}
export interface CommandNode extends NodeBase {
  readonly kind: 'command'
  readonly args: readonly ArgNode[]
}
export interface FieldNode extends NodeBase {
  readonly kind: 'field'
  readonly path: readonly string[]
}
export interface ChainNode extends NodeBase {
  readonly kind: 'chain'
  readonly node: ArgNode
  readonly path: readonly string[]
}
export interface VariableNode extends NodeBase {
  readonly kind: 'variable'
  /** The variable with its `$`, then fields. */
  readonly path: readonly string[]
}
export interface IdentifierNode extends NodeBase {
  readonly kind: 'identifier'
  readonly name: string
}
export interface StringNode extends NodeBase {
  readonly kind: 'string'
  readonly quoted: string
  readonly value: string
}
export interface NumberNode extends NodeBase {
  readonly kind: 'number'
  readonly text: string
  /** bigint = an integer constant, number = a float constant. */
  readonly value: bigint | number
  /** Both readings of constants like `1e3`, where they exist. */
  readonly asInt: bigint | undefined
  readonly asFloat: number
}
export interface BoolNode extends NodeBase {
  readonly kind: 'bool'
  readonly value: boolean
}
export interface WordNode extends NodeBase {
  readonly kind: 'dot' | 'nil'
}

export type ArgNode =
  | PipeNode
  | FieldNode
  | ChainNode
  | VariableNode
  | IdentifierNode
  | StringNode
  | NumberNode
  | BoolNode
  | WordNode
export type Node = TextNode | ListNode | ActionNode | BranchNode | TemplateNode | JumpNode | MarkNode
export type AnyNode = Node | CommandNode | ArgNode

/** The node as it would be written. */
export function printNode(node: AnyNode): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'list':
      return node.nodes.map(printNode).join('')
    case 'action':
      return `{{${printNode(node.pipe)}}}`
    case 'template':
      return `{{template ${JSON.stringify(node.name)}${node.pipe ? ` ${printNode(node.pipe)}` : ''}}}`
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.elseList ? `{{else}}${printNode(node.elseList)}` : ''
      return `{{${node.kind} ${printNode(node.pipe)}}}${printNode(node.list)}${otherwise}{{end}}`
    }
    case 'break':
    case 'continue':
    case 'end':
    case 'else':
      return `{{${node.kind}}}`
    case 'pipe': {
      const names = node.declared.map(printNode).join(', ')
      const prefix = names === '' ? '' : `${names} ${node.isAssign ? '=' : ':='} `
      return prefix + node.commands.map(printNode).join(' | ')
    }
    case 'command':
      return node.args.map((arg) => (arg.kind === 'pipe' ? `(${printNode(arg)})` : printNode(arg))).join(' ')
    case 'field':
      return node.path.map((name) => `.${name}`).join('')
    case 'chain': {
      const inner = node.node.kind === 'pipe' ? `(${printNode(node.node)})` : printNode(node.node)
      return inner + node.path.map((name) => `.${name}`).join('')
    }
    case 'variable':
      return node.path.join('.')
    case 'identifier':
      return node.name
    case 'string':
      return node.quoted
    case 'number':
      return node.text
    case 'bool':
      return String(node.value)
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
  }
}
