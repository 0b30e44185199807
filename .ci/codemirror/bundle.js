// What `editor.js` uses of CodeMirror, as one classic script. `make codemirror` writes autograder/web/static/vendor/codemirror.js of it.
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

window.course.provide({
  bracketMatching, defaultKeymap, drawSelection, EditorState, EditorView, HighlightStyle, history, historyKeymap, indentOnInput, indentUnit,
  indentWithTab, isolateHistory, keymap, lineNumbers, python, syntaxHighlighting, tags, yaml,
});
