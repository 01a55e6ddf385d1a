/** Tells a test file the Python worker of the process of jest that it runs in. */
import { delimiter } from "node:path";

const socket = process.env.XENARC_WORKERS?.split(delimiter)[Number(process.env.JEST_WORKER_ID) - 1];
if (socket !== undefined) process.env.XENARC_WORKER = socket;
