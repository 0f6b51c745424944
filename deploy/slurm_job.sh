#!/usr/bin/env bash

#SBATCH -J eunoe-worker
#SBATCH -n 1
#SBATCH --cpus-per-task=4
#SBATCH --mem=15G
#SBATCH -t 04:00:00
#SBATCH --requeue
#SBATCH --gpus=1
cd $HOME/eunoe
export PYTHONPATH=$PWD
source $HOME/.eunoe-cluster/environment
python -m distributed.cli.dask_worker tls://scheduler:8786 --name dummy-name --nthreads 1 --memory-limit 14.90GiB --nanny --death-timeout 300 --local-directory /tmp --memory-limit 0 --no-dashboard --preload unlearn_core.engine.preload --lifetime 230m --lifetime-stagger 5m --resources GPU=1 --protocol tls:// --tls-ca-file $HOME/.eunoe-cluster/certificate.pem --tls-cert $HOME/.eunoe-cluster/certificate.pem --tls-key $HOME/.eunoe-cluster/key.pem
