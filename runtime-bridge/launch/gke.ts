/** Launching on Google Kubernetes Engine: a JobSet with one job a slice and one pod a host, everything in a bucket. */
import { stringify } from "yaml";
import type { ChipName } from "../../compiler/plan/chips.js";
import { hostsOf, type Job, jobFiles, RESOURCE, RESOURCE_RULE, requireName, requireTpu } from "./job.js";
import type { LaunchPlan } from "./plan.js";

/** Which cluster's namespace (kubectl's current context says which cluster), and where the files go. */
export interface GkeOptions {
  /** A bucket that the pods may read and write. */
  readonly bucket: string;
  readonly namespace?: string;
  /** The Kubernetes service account that may use the bucket. */
  readonly serviceAccount?: string;
  /** An image with Python 3.11 or newer and bash. */
  readonly image?: string;
}

/** An image of Docker's official ones; the packages are installed from the lock files. */
export const IMAGE = "python:3.12-slim-bookworm";

/** Node labels of GKE's TPUs (docs.cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus). */
const ACCELERATORS: Readonly<Partial<Record<ChipName, string>>> = {
  v3: "tpu-v3-slice",
  v4: "tpu-v4-podslice",
  v5e: "tpu-v5-lite-podslice",
  v5p: "tpu-v5p-slice",
  v6e: "tpu-v6e-slice",
  "7x": "tpu7x",
};

const MOUNT = "/bucket";
/** Long enough for a last checkpoint. */
const GRACE_SECONDS = 300;

/** The bucket holds the job's folder and the run; the pods see both through Cloud Storage FUSE. */
export function gkePlan(job: Job, options: GkeOptions): LaunchPlan {
  requireTpu(job, "the JobSet");
  const bucket = options.bucket.replace(/^gs:\/\//, "");
  requireName("--bucket", bucket, /^[a-z0-9][-a-z0-9._]{1,61}[a-z0-9]$/, "a bucket's name");
  if (options.namespace !== undefined) requireName("--namespace", options.namespace, RESOURCE, RESOURCE_RULE);
  const { name } = job;
  const folder = `.xenarc/launch/${name}`;
  const yaml = `${folder}.yaml`;
  const { copies, files } = jobFiles(job, folder, job.run ?? `${MOUNT}/xenarc/${name}/run`, 0);
  const namespace = options.namespace === undefined ? [] : [`--namespace=${options.namespace}`];
  return {
    folder,
    copies,
    files: [...files, { path: yaml, text: jobSet(job, { ...options, bucket }) }],
    commands: [
      [
        ...["gcloud", "storage", "rsync", "--recursive", "--delete-unmatched-destination-objects"],
        ...[folder, `gs://${bucket}/xenarc/${name}/job`],
      ],
      ["kubectl", "apply", `--filename=${yaml}`, ...namespace],
    ],
    afterwards: {
      "watch it": [
        "kubectl logs --follow",
        `--selector=jobset.sigs.k8s.io/jobset-name=${name},batch.kubernetes.io/job-completion-index=0`,
        ...namespace,
      ].join(" "),
      "stop it, with a checkpoint": ["kubectl delete jobset", name, ...namespace].join(" "),
    },
  };
}

/**
 * The JobSet (jobset.sigs.k8s.io). When a pod fails, all of them start again, from the last checkpoint; not after 1 and 2, mistakes
 * that another try would repeat.
 */
export function jobSet(
  { name, target, restarts }: Job,
  { bucket, namespace, serviceAccount, image }: GkeOptions,
): string {
  const { hosts, chips } = hostsOf(target);
  const container = {
    name: "xenarc",
    image: image ?? IMAGE,
    command: ["bash", `${MOUNT}/xenarc/${name}/job/host.sh`],
    ports: [{ containerPort: 8471 }, { containerPort: 8482 }],
    resources: { requests: { "google.com/tpu": chips }, limits: { "google.com/tpu": chips } },
    volumeMounts: [{ name: "bucket", mountPath: MOUNT }],
  };
  const pod = {
    metadata: { annotations: { "gke-gcsfuse/volumes": "true" } },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: GRACE_SECONDS,
      ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
      nodeSelector: {
        "cloud.google.com/gke-tpu-accelerator": ACCELERATORS[target.generation!],
        "cloud.google.com/gke-tpu-topology": target.topology!.join("x"),
      },
      containers: [container],
      volumes: [
        {
          name: "bucket",
          csi: {
            driver: "gcsfuse.csi.storage.gke.io",
            volumeAttributes: { bucketName: bucket, mountOptions: "implicit-dirs" },
          },
        },
      ],
    },
  };
  return stringify({
    apiVersion: "jobset.x-k8s.io/v1alpha2",
    kind: "JobSet",
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      annotations: { "alpha.jobset.sigs.k8s.io/exclusive-topology": "cloud.google.com/gke-nodepool" },
    },
    spec: {
      failurePolicy: {
        maxRestarts: restarts,
        rules: [{ action: "FailJobSet", onJobFailureReasons: ["PodFailurePolicy"] }],
      },
      replicatedJobs: [
        {
          name: "slice",
          replicas: target.slices,
          template: {
            spec: {
              parallelism: hosts,
              completions: hosts,
              completionMode: "Indexed",
              backoffLimit: 0,
              podFailurePolicy: {
                rules: [
                  { action: "FailJob", onExitCodes: { containerName: container.name, operator: "In", values: [1, 2] } },
                ],
              },
              template: pod,
            },
          },
        },
      ],
    },
  });
}
