/** The order of the layers is named in tokens.css; the order here does not matter. */
import "./tokens.css";
import "./base.css";
import "./controls.css";
import "./surfaces.css";
import "../features/shell/shell.css";
import "../features/studio/studio.css";
import "../features/permission/permission.css";
import "../features/agents/agents.css";
import "../features/run/run.css";
