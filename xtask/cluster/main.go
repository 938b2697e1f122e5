// The programs of a Kubernetes cluster in one binary: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kubelet and kubectl. It runs the program that it is started as (argv[0]). Two more
// programs create what those need: cluster-keys and cluster-image.
//
// The programs share most of their code, so one binary takes 136 MB instead of 500 and links in a
// fraction of the time.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kubectl":
		runKubectl(kubectl.NewDefaultKubectlCommand())
	case "cluster-keys":
		end(makeKeys(os.Args[1:]))
	case "cluster-image":
		end(makeImage(os.Args[1:]))
	default:
		end(fmt.Errorf("no part of a cluster is named %s", name))
	}
}

func runKubectl(command *cobra.Command) {
	if err := cli.RunNoErrOutput(command); err != nil {
		util.CheckErr(err)
	}
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
